using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Trains text encoder and U-Net together to predict the noise in latents of scenes.</summary>
internal sealed class UNetTrainer(
    UNet2DConditionModel unet,
    ClipTextModel text,
    ITextTokenizer tokenizer,
    TrainingRecipe recipe,
    TrainingRunOptions options,
    WorkerPool pool
)
{
    private const int HeldOut = 256;

    /// <summary>Prompts of the sample grids: one object in the first half; two objects, weather and styles in the second.</summary>
    internal static readonly string[] GridPrompts =
    [
        "a cat in the meadow",
        "a dog on the beach",
        "a small fox in the snow",
        "a panda in the forest",
        "a red car in the desert",
        "a purple balloon in the city",
        "a yellow mushroom in the forest",
        "a rocket in the desert at night",
        "a cat next to a red balloon in the meadow",
        "a blue car next to a yellow mushroom in the snow",
        "a pig next to a house on the beach",
        "a frog to the left of a green balloon in the city",
        "a house in the snow in the fog",
        "a red car in the city in the rain",
        "a drawing of a dog in the meadow",
        "in the forest, a tree next to a purple car",
    ];

    private readonly double[] _signal = [.. NoiseSchedule.StableDiffusion.AlphaBars.Select(Math.Sqrt)];
    private readonly double[] _noise = [.. NoiseSchedule.StableDiffusion.AlphaBars.Select(a => Math.Sqrt(1 - a))];

    /// <summary>Trains, or resumes training; on return both networks hold the averaged weights.</summary>
    public void Train(LatentSet train, LatentSet heldOut, AutoencoderKL vae, CancellationToken cancel)
    {
        unet.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        text.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        if (recipe.ModelFrom is { } from)
            Begin(from);
        using FlatParameters parameters = new(text.Weights, unet.Weights);
        using StageLoop loop = new("unet", recipe.UNetStage, options, pool, parameters, new AdamWSettings());
        int batch = recipe.UNetStage.Batch,
            part = batch / recipe.UNetStage.Parts;
        long[] heldIds = Ids(heldOut.Scenes.Take(HeldOut).Select(s => s.Caption));
        loop.Run(
            (worker, step, job) =>
            {
                SceneRandom random = new(unchecked((recipe.Seed * 1_000_003L + step) * 64 + job));
                CaptionNoise captions = (loop.Progress < recipe.NoisyFrom ? recipe.CleanCaptions : recipe.NoisyCaptions) with
                {
                    Free = recipe.Domain.FreeCaptions,
                };
                long[] index = new long[part];
                int[] times = new int[part];
                WrittenCaption[] words = new WrittenCaption[part];
                for (int i = 0; i < part; i++)
                {
                    index[i] = random.Index(train.Scenes.Count);
                    // Stratified timesteps: one from each of as many equal strata as the batch has images.
                    times[i] = (int)((job * part + i + random.NextDouble()) / batch * _signal.Length);
                    words[i] = CaptionGrammar.WriteNoisy(train.Scenes[(int)index[i]], random, captions);
                }

                Tensor chosen = tensor(index).to(options.Device);
                // Weighted by signal: in very noisy latents a word cannot know its location.
                using GroundingAttention? grounding =
                    recipe.GroundingWeight > 0
                        ? new GroundingAttention(
                            [.. words.Select(w => w.Named)],
                            train.Masks!.index_select(0, chosen).to(ScalarType.Float32),
                            [.. times.Select(t => (float)_signal[t])]
                        )
                        : null;
                Tensor loss = Loss(
                    train.Latents.index_select(0, chosen),
                    times,
                    Ids(words.Select(w => w.Text)),
                    unchecked((long)random.NextBits()),
                    recipe.OffsetNoise,
                    grounding
                );
                return grounding?.Loss is { } outside ? loss.Plus(outside.Times(recipe.GroundingWeight)) : loss;
            },
            step => Measure(step, heldOut, heldIds, vae),
            cancel
        );
        loop.AdoptAverage();
    }

    /// <summary>Loads the averaged weights of the checkpoint.</summary>
    public void LoadAverage()
    {
        unet.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        text.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using FlatParameters parameters = new(text.Weights, unet.Weights);
        using StageLoop loop = new("unet", recipe.UNetStage, options, pool, parameters, new AdamWSettings());
        loop.AdoptAverage();
        unet.Weights.SetTrainable(false);
        text.Weights.SetTrainable(false);
    }

    /// <summary>Starts from the weights of another model; rows of words unknown to it stay random.</summary>
    private void Begin(string folder)
    {
        const string Words = "text_model.embeddings.token_embedding.weight",
            Rows = "text_model.embeddings.position_embedding.weight";
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using StableDiffusion model = StableDiffusion.Load(folder);
        foreach ((WeightSet mine, WeightSet other) in ((WeightSet, WeightSet)[])[(unet.Weights, model.UNet.Weights), (text.Weights, model.Text.Weights)])
        {
            foreach (Weight weight in mine.Trainable)
            {
                Tensor begin = other.Find(weight.Key)!.Value;
                if (weight.Key == Words)
                    TakeWords(weight.Value, begin, model.Tokenizer);
                else if (weight.Key == Rows)
                {
                    long shared = Math.Min(weight.Value.shape[0], begin.shape[0]);
                    weight.Value.narrow(0, 0, shared).copy_(begin.narrow(0, 0, shared));
                }
                else
                    weight.Value.copy_(begin);
            }
        }
    }

    private void TakeWords(Tensor mine, Tensor other, ITextTokenizer theirs)
    {
        if (theirs is not ClipTokenizer clip || tokenizer is not ClipTokenizer own)
            return;
        Dictionary<string, long> known = [];
        for (int id = 0; id < clip.VocabularySize; id++)
        {
            if (clip.RawPiece(id) is { } piece)
                known[piece] = id;
        }
        for (int id = 0; id < own.VocabularySize; id++)
        {
            if (own.RawPiece(id) is { } piece && known.TryGetValue(piece, out long row))
                mine[id].copy_(other[row]);
        }
    }

    private long[] Ids(IEnumerable<string> captions) => [.. captions.SelectMany(c => tokenizer.Tokenize(c).Ids).Select(i => (long)i)];

    private Tensor Loss(Tensor latents, int[] times, long[] ids, long seed, double offset, INetworkHook? attention = null)
    {
        long n = latents.shape[0];
        Tensor noise = Seeds.Normal(seed, latents.shape, latents);
        if (offset > 0)
            noise = noise.Plus(Seeds.Normal(~seed, [n, latents.shape[1], 1, 1], latents).Times(offset));
        Tensor a = tensor(times.Select(t => (float)_signal[t]).ToArray(), [n, 1, 1, 1]).to(options.Device);
        Tensor b = tensor(times.Select(t => (float)_noise[t]).ToArray(), [n, 1, 1, 1]).to(options.Device);
        Tensor noisy = latents.mul(a).Plus(noise.mul(b));
        Tensor embedding = text.Forward(tensor(ids, [n, text.Config.ContextLength]).to(options.Device), recipe.ActivationDtype);
        Tensor steps = tensor(times.Select(t => (long)t).ToArray()).to(options.Device);
        // Explicit attention: at 16x16 on a CPU, its backward pass is faster than the fused kernel's.
        Tensor predicted = unet.Forward(noisy.to(recipe.ActivationDtype), steps, embedding, attention ?? ExplicitAttention.Instance);
        return predicted.to(ScalarType.Float32).sub(noise).Squared().mean();
    }

    /// <summary>Mean squared error on held-out latents with fixed noise and true captions; also draws the sample grid.</summary>
    private double Measure(long step, LatentSet heldOut, long[] ids, AutoencoderKL vae)
    {
        const int Together = 16;
        int jobs = HeldOut / Together;
        double[] sums = new double[jobs];
        int context = text.Config.ContextLength;
        pool.Run(
            jobs,
            (_, job) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                int[] times = [.. Enumerable.Range(0, Together).Select(i => (job + i * jobs) * _signal.Length / HeldOut)];
                sums[job] = Loss(
                        heldOut.Latents.narrow(0, job * Together, Together),
                        times,
                        ids[(job * Together * context)..((job + 1) * Together * context)],
                        77 + job,
                        offset: 0
                    )
                    .item<float>();
            }
        );
        if (double.IsFinite(options.SampleMinutes))
            Draw(Path.Combine(options.Folder, $"samples-{step:D6}.png"), vae);
        return sums.Average();
    }

    private void Draw(string path, AutoencoderKL vae)
    {
        double[] guidance = [4, 7.5];
        byte[][] images = new byte[GridPrompts.Length * guidance.Length][];
        const int Together = 4;
        pool.Run(
            images.Length / Together,
            (_, job) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                int row = job * Together / GridPrompts.Length,
                    first = job * Together % GridPrompts.Length;
                Tensor pixels = Sample(GridPrompts[first..(first + Together)], guidance[row], 25, first, vae);
                Tensor bytes = SceneBatch.ToBytes(pixels);
                for (int i = 0; i < Together; i++)
                    images[job * Together + i] = bytes[i].data<byte>().ToArray();
            }
        );
        PictureGrid.Save(path, images, recipe.ImageSize, columns: 8);
    }

    /// <summary>Samples prompts from noise of seeds <paramref name="seed"/>, +1, ...; [B, 3, H, W], owned by the caller's dispose scope.</summary>
    internal Tensor Sample(IReadOnlyList<string> prompts, double guidance, int steps, long seed, AutoencoderKL vae) =>
        Lifetime.WithoutGradient(() =>
        {
            int side = recipe.UNet.SampleSize;
            Tensor like = empty([1], ScalarType.Float32, options.Device);
            Tensor start = cat([.. prompts.Select((_, i) => Seeds.Normal(seed + i, [1, recipe.UNet.InChannels, side, side], like))]);
            Tensor Embed(IReadOnlyList<string> texts) => text.Forward(tensor(Ids(texts), [texts.Count, text.Config.ContextLength]).to(options.Device));
            using StepEmbeddings conditional = StepEmbeddings.Constant(Embed(prompts)),
                unconditional = StepEmbeddings.Constant(Embed([""]));
            TimestepGrid grid = new(NoiseSchedule.StableDiffusion, steps);
            Tensor latents = Sampler.Run(
                new Predictor(unet, recipe.ActivationDtype, ExplicitAttention.Instance),
                grid,
                new SamplingPlan
                {
                    StartLatents = start,
                    Conditional = conditional,
                    Unconditional = unconditional,
                    GuidanceScale = guidance,
                }
            );
            return vae.Decode(latents);
        });

    internal sealed class Predictor(UNet2DConditionModel unet, ScalarType dtype, INetworkHook attention) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.Scoped(() =>
                unet.Forward(latents.to(dtype), tensor([(long)step.Timestep]).to(latents.device), condition.Tokens.to(dtype), attention, step.Step)
                    .to(latents.dtype)
            );
    }
}
