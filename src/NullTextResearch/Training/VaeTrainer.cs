using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Trains the autoencoder on scenes rendered on the fly; no scene is used twice.</summary>
internal static class VaeTrainer
{
    /// <summary>Number of held-out scenes measured for the log.</summary>
    private const int Measured = 64;

    /// <summary>Trains, or resumes training; on return the network holds the averaged weights with normalised latents.</summary>
    public static void Train(AutoencoderKL vae, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool, CancellationToken cancel)
    {
        string finished = Path.Combine(options.Folder, "vae.weights");
        vae.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        if ((recipe.ModelFrom ?? recipe.AutoencoderFrom) is { } from)
            Begin(vae, from);
        using FlatParameters parameters = new(vae.Weights);
        Dictionary<string, Tensor> whole = new() { ["values"] = parameters.Values };
        if (File.Exists(finished))
        {
            try
            {
                TrainingCheckpoint.Load(finished, whole);
                vae.Weights.SetTrainable(false);
                return;
            }
            catch (TrainingFileException e) when (e.IsDamage && File.Exists(Path.Combine(options.Folder, "vae.checkpoint")))
            {
                // The last state of the stage still exists and yields the same weights within seconds.
                options.Progress?.Report(new TrainingProgress("vae", 0, 0, double.NaN, $"vae: {e.Message} It is rebuilt from vae.checkpoint."));
            }
        }

        if (recipe.ModelFrom is null)
            TrainAnew(vae, recipe, options, pool, parameters, cancel);
        TrainingCheckpoint.Save(finished, new Dictionary<string, double>(), whole);
        vae.Weights.SetTrainable(false);
    }

    private static void TrainAnew(
        AutoencoderKL vae,
        TrainingRecipe recipe,
        TrainingRunOptions options,
        WorkerPool pool,
        FlatParameters parameters,
        CancellationToken cancel
    )
    {
        using (StageLoop loop = new("vae", recipe.VaeStage, options, pool, parameters, new AdamWSettings { WeightDecay = 1e-4, AverageDecay = 0.998 }))
        {
            Run(loop, vae, recipe, recipe.VaeStage, options, pool, firstSeed: 0, Loss, cancel);
            loop.AdoptAverage();
        }

        SceneTraining.WithRenderers(pool, renderers => NormaliseLatents(vae, recipe, pool, renderers, options.Device));
    }

    /// <summary>Starts from the weights of another model's autoencoder.</summary>
    private static void Begin(AutoencoderKL vae, string folder)
    {
        using IDisposable grad = no_grad();
        using StableDiffusion model = StableDiffusion.Load(folder);
        foreach (Weight weight in vae.Weights.Trainable)
        {
            if (model.Vae.Weights.Find(weight.Key) is not { } other || !other.Dimensions.SequenceEqual(weight.Dimensions))
                throw new TrainingFileException($"The autoencoder of {folder} has another architecture: '{weight.Key}' is missing or has another shape.");
            weight.Value.copy_(other.Value);
        }
    }

    /// <summary>Loads the averaged weights of a decoder checkpoint.</summary>
    public static void LoadDecoder(AutoencoderKL vae, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool)
    {
        using FlatParameters parameters = DecoderParameters(vae);
        using StageLoop loop = new("decoder", recipe.DecoderStage, options, pool, parameters, new AdamWSettings());
        loop.AdoptAverage();
        vae.Weights.SetTrainable(false);
    }

    private static FlatParameters DecoderParameters(AutoencoderKL vae) =>
        new([
            .. vae.Weights.Trainable.Where(w =>
                w.Key.StartsWith("decoder.", StringComparison.Ordinal) || w.Key.StartsWith("post_quant_conv.", StringComparison.Ordinal)
            ),
        ]);

    /// <summary>
    /// Trains only the decoder, on the means of the finished encoder. The latents do not change, so this can run during or after U-Net training.
    /// </summary>
    public static void TrainDecoder(AutoencoderKL vae, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool, CancellationToken cancel)
    {
        using FlatParameters parameters = DecoderParameters(vae);
        using StageLoop loop = new("decoder", recipe.DecoderStage, options, pool, parameters, new AdamWSettings { WeightDecay = 1e-4, AverageDecay = 0.998 });
        Run(loop, vae, recipe, recipe.DecoderStage, options, pool, firstSeed: 1L << 39, DecoderLoss, cancel);
        loop.AdoptAverage();
        vae.Weights.SetTrainable(false);
    }

    private static void Run(
        StageLoop loop,
        AutoencoderKL vae,
        TrainingRecipe recipe,
        StageSchedule stage,
        TrainingRunOptions options,
        WorkerPool pool,
        long firstSeed,
        Func<AutoencoderKL, Tensor, TrainingRecipe, long, Tensor> loss,
        CancellationToken cancel
    ) =>
        SceneTraining.Run(
            loop,
            stage,
            recipe,
            options,
            pool,
            firstSeed,
            (_, pixels, first) => loss(vae, pixels, recipe, (recipe.Seed << 40) ^ first),
            renderers => MeanPsnr(vae, recipe, pool, renderers, options.Device, Measured),
            cancel
        );

    private static Tensor DecoderLoss(AutoencoderKL vae, Tensor pixels, TrainingRecipe recipe, long seed)
    {
        Tensor latents = Lifetime.WithoutGradient(() => vae.Posterior(pixels.to(recipe.ActivationDtype)).Mean);
        return ErrorOf(vae.DecodeUnscaled(latents).to(ScalarType.Float32).sub(pixels));
    }

    private static Tensor Loss(AutoencoderKL vae, Tensor pixels, TrainingRecipe recipe, long seed)
    {
        (Tensor mean, Tensor logVariance) = vae.Posterior(pixels.to(recipe.ActivationDtype));
        mean = mean.to(ScalarType.Float32);
        logVariance = logVariance.to(ScalarType.Float32);
        Tensor noise = Seeds.Normal(seed, mean.shape, mean);
        Tensor latents = mean.Plus(logVariance.Times(0.5).exp().mul(noise));
        Tensor error = vae.DecodeUnscaled(latents.to(recipe.ActivationDtype)).to(ScalarType.Float32).sub(pixels);
        Tensor divergence = mean.Squared().Plus(logVariance.exp()).sub(logVariance).Plus(-1).mean().Times(0.5);
        return ErrorOf(error).Plus(divergence.Times(recipe.KlWeight));
    }

    private static Tensor ErrorOf(Tensor error)
    {
        // Errors of neighbouring differences keep edges sharp, which matters to the eye but not to the mean square.
        Tensor across = error.narrow(3, 1, error.shape[3] - 1).sub(error.narrow(3, 0, error.shape[3] - 1));
        Tensor down = error.narrow(2, 1, error.shape[2] - 1).sub(error.narrow(2, 0, error.shape[2] - 1));
        return error.abs().mean().Plus(error.Squared().mean().Times(4)).Plus(across.abs().mean().Plus(down.abs().mean()).Times(0.25));
    }

    /// <summary>Mean round-trip PSNR over held-out scenes, after rounding to bytes, in dB.</summary>
    internal static double MeanPsnr(AutoencoderKL vae, TrainingRecipe recipe, WorkerPool pool, SceneRenderer[] renderers, Device device, int count)
    {
        const int Together = 8;
        double[] sums = new double[(count + Together - 1) / Together];
        pool.Run(
            sums.Length,
            (worker, job) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                SceneDescription[] scenes =
                [
                    .. Enumerable
                        .Range(job * Together, Math.Min(Together, count - job * Together))
                        .Select(i => ToyScenes.Sample(i, SceneSplit.HeldOut, recipe.Scenes)),
                ];
                Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(device);
                sums[job] = Metrics.Psnr.PerImage(SceneBatch.ToPixels(SceneBatch.ToBytes(vae.Decode(vae.Encode(pixels)))), pixels, peak: 2).Sum();
            }
        );
        return sums.Sum() / count;
    }

    /// <summary>
    /// Normalises the scaled latents of training scenes to zero mean and unit variance per channel, by folding shift and scale into the two 1x1 convolutions
    /// around them. The model folder then needs no additional numbers.
    /// </summary>
    private static void NormaliseLatents(AutoencoderKL vae, TrainingRecipe recipe, WorkerPool pool, SceneRenderer[] renderers, Device device)
    {
        const int Jobs = 64,
            Together = 16;
        int channels = vae.Config.LatentChannels;
        double[,] sums = new double[Jobs, channels],
            squares = new double[Jobs, channels];
        pool.Run(
            Jobs,
            (worker, job) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                // Seeds far above any used in training.
                SceneDescription[] scenes =
                [
                    .. Enumerable.Range(0, Together).Select(i => ToyScenes.Sample((1L << 40) + job * Together + i, SceneSplit.Train, recipe.Scenes)),
                ];
                Tensor mean = vae.Posterior(SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(device)).Mean.to(ScalarType.Float64);
                for (int c = 0; c < channels; c++)
                {
                    sums[job, c] = mean.select(1, c).mean().item<double>() / Jobs;
                    squares[job, c] = mean.select(1, c).Squared().mean().item<double>() / Jobs;
                }
            }
        );
        using IDisposable noGrad = no_grad();
        using DisposeScope outer = NewDisposeScope();
        Tensor quant = vae.Weights.Find("quant_conv.weight")!.Value,
            quantBias = vae.Weights.Find("quant_conv.bias")!.Value;
        Tensor post = vae.Weights.Find("post_quant_conv.weight")!.Value,
            postBias = vae.Weights.Find("post_quant_conv.bias")!.Value;
        for (int c = 0; c < channels; c++)
        {
            double mean = Enumerable.Range(0, Jobs).Sum(j => sums[j, c]);
            double variance = Enumerable.Range(0, Jobs).Sum(j => squares[j, c]) - mean * mean;
            double scale = Math.Sqrt(variance) * vae.Config.ScalingFactor;
            quantBias[c].PlusInPlace(-mean).OverInPlace(scale);
            quant[c].OverInPlace(scale);
            quantBias[channels + c].PlusInPlace(-2 * Math.Log(scale));
            // The old latent is new * scale + mean: apply the shift first, while the column still has its old scale.
            Tensor column = post.select(1, c);
            postBias.PlusInPlace(column.flatten().Times(mean));
            column.TimesInPlace(scale);
        }
    }
}
