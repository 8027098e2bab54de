using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Training;

/// <summary>
/// Trains the classifier on rendered scenes with separate seeds. The scenes are blurred, made noisy, and in part passed through the autoencoder.
/// </summary>
internal static class ClassifierTrainer
{
    // Seeds used neither by the autoencoder nor by the U-Net.
    private const long FirstSeed = 1L << 41;

    public static void Train(
        SceneClassifier classifier,
        AutoencoderKL vae,
        TrainingRecipe recipe,
        TrainingRunOptions options,
        WorkerPool pool,
        CancellationToken cancel
    )
    {
        classifier.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using FlatParameters parameters = new(classifier.Weights);
        using StageLoop loop = new("classifier", recipe.ClassifierStage, options, pool, parameters, new AdamWSettings { AverageDecay = 0.99 });
        SceneTraining.Run(
            loop,
            recipe.ClassifierStage,
            recipe,
            options,
            pool,
            FirstSeed,
            (scenes, pixels, first) => Loss(classifier, Disturb(pixels, vae, recipe, first), scenes),
            renderers => Measure(classifier, null, recipe, options.Device, pool, renderers, 256).Objects,
            cancel
        );
        loop.AdoptAverage();
        classifier.Weights.SetTrainable(false);
    }

    /// <summary>Loads the averaged weights of the checkpoint.</summary>
    public static void LoadAverage(SceneClassifier classifier, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool) =>
        SceneTraining.LoadAverage("classifier", recipe.ClassifierStage, classifier.Weights, recipe, options, pool);

    /// <summary>Accuracies on held-out scenes, or on their round trips through <paramref name="vae"/>.</summary>
    public static ClassifierAccuracy Measure(
        SceneClassifier classifier,
        AutoencoderKL? vae,
        TrainingRecipe recipe,
        Device device,
        WorkerPool pool,
        SceneRenderer[] renderers,
        int count
    )
    {
        const int Together = 16,
            FirstHeldOut = 100_000;
        int[] right = new int[5],
            asked = new int[5];
        pool.Run(
            (count + Together - 1) / Together,
            (worker, job) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                SceneDescription[] scenes =
                [
                    .. Enumerable
                        .Range(job * Together, Math.Min(Together, count - job * Together))
                        .Select(i => ToyScenes.Sample(FirstHeldOut + i, SceneSplit.HeldOut, recipe.Scenes)),
                ];
                Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(device);
                if (vae is not null)
                    pixels = vae.Decode(vae.Encode(pixels)).Clamped(-1, 1);
                foreach ((SceneDescription scene, SceneJudgement seen) in scenes.Zip(classifier.Judge(pixels)))
                {
                    int coloured = scene.Objects.Count(o => o.Colour is not null);
                    Count(0, true, seen.ObjectsAgree(scene));
                    Count(1, true, seen.Background == scene.Background);
                    Count(2, classifier.Domain.Version == 1 ? coloured == 1 : coloured > 0, seen.ColoursAgree(scene));
                    Count(3, true, seen.AirAgrees(scene));
                    Count(4, scene.Objects.Count > 1, seen.SidesAgree(scene));
                }
            }
        );
        double[] shares = [.. right.Zip(asked, (r, n) => (double)r / Math.Max(1, n))];
        return new ClassifierAccuracy(shares[0], shares[1], shares[2], shares[3], shares[4]);

        void Count(int measure, bool counts, bool agrees)
        {
            if (!counts)
                return;
            Interlocked.Increment(ref asked[measure]);
            if (agrees)
                Interlocked.Increment(ref right[measure]);
        }
    }

    /// <summary>Degrades the training pictures, because samples and reconstructions are blurrier and noisier than renderings.</summary>
    internal static Tensor Disturb(Tensor pixels, AutoencoderKL vae, TrainingRecipe recipe, long seed)
    {
        using IDisposable grad = no_grad();
        SceneRandom random = new(seed);
        long n = pixels.shape[0],
            side = pixels.shape[2];
        long coded = n / 4;
        Tensor through = vae.Decode(vae.Encode(pixels.narrow(0, 0, coded).to(recipe.ActivationDtype))).to(ScalarType.Float32);
        Tensor rest = pixels.narrow(0, coded, n - coded);
        Tensor small = F.avg_pool2d(rest, 2);
        Tensor blurred = small.unsqueeze(3).unsqueeze(5).expand(n - coded, 3, side / 2, 2, side / 2, 2).reshape(rest.shape);
        Tensor mixed = rest.lerp(F.avg_pool2d(F.pad(blurred, [1, 1, 1, 1], PaddingModes.Replicate), 3, 1), random.Range(0, 1));
        Tensor all = cat([through, mixed]).Times(random.Range(0.85, 1.15)).Plus(random.Range(-0.12, 0.12));
        return all.Plus(Seeds.Normal(seed, all.shape, all).Times(random.Range(0, 0.12))).Clamped(-1, 1);
    }

    private static Tensor Loss(SceneClassifier classifier, Tensor pixels, SceneDescription[] scenes)
    {
        SceneLogits logits = classifier.Forward(pixels);
        float[] present = new float[scenes.Length * ToyScenes.Kinds.Count];
        foreach ((int i, SceneDescription scene) in scenes.Index())
        foreach (SceneObject o in scene.Objects)
            present[i * ToyScenes.Kinds.Count + (int)o.Kind] = 1;
        Tensor loss = F.binary_cross_entropy_with_logits(logits.Objects, tensor(present, [scenes.Length, ToyScenes.Kinds.Count]).to(pixels.device))
            .Times(4)
            .Plus(Choice(logits.Backgrounds, s => (int)s.Background));
        if (classifier.Domain.Version == 1)
            return loss.Plus(Choice(logits.Colours[0], OnlyColour).Times(0.5));

        SceneObjectKind[] coloured = [.. ToyScenes.Kinds.Where(ToyScenes.IsColourable)];
        foreach ((int k, SceneObjectKind kind) in coloured.Index())
            loss = loss.Plus(Choice(logits.Colours[k], s => s.Objects.FirstOrDefault(o => o.Kind == kind)?.Colour is { } c ? (int)c : null).Times(0.3));
        return loss.Plus(Sides(logits.Left!, scenes).Times(0.5))
            .Plus(Choice(logits.Night!, s => s.Night ? 1 : 0).Times(0.5))
            .Plus(Choice(logits.Weather!, s => (int)s.Weather).Times(0.5))
            .Plus(Choice(logits.Style!, s => (int)s.Style).Times(0.5));

        // Averages over the scenes with a true class. If there is none, the mean would be NaN; the zero loss still gives the weights a gradient.
        Tensor Choice(Tensor choices, Func<SceneDescription, int?> truth)
        {
            long[] right = [.. scenes.Select(s => truth(s) is { } index ? (long)index : -100)];
            return right.Any(r => r >= 0) ? F.cross_entropy(choices, tensor(right).to(pixels.device), ignore_index: -100) : choices.sum().Times(0);
        }
    }

    private static int? OnlyColour(SceneDescription scene)
    {
        SceneColour[] colours = [.. scene.Objects.Where(o => o.Colour is not null).Select(o => o.Colour!.Value)];
        return colours.Length == 1 ? (int)colours[0] : null;
    }

    /// <summary>Loss for which of two objects is on the left, over the kinds present; zero if no scene has two objects.</summary>
    private static Tensor Sides(Tensor logits, SceneDescription[] scenes)
    {
        float[] left = new float[scenes.Length * ToyScenes.Kinds.Count],
            counts = new float[left.Length];
        foreach ((int i, SceneDescription scene) in scenes.Index().Where(s => s.Item.Objects.Count > 1))
        {
            bool firstIsLeft = scene.Objects[0].CentreX < scene.Objects[1].CentreX;
            foreach ((int j, SceneObject o) in scene.Objects.Index())
            {
                int at = i * ToyScenes.Kinds.Count + (int)o.Kind;
                counts[at] = 1;
                left[at] = j == 0 == firstIsLeft ? 1 : 0;
            }
        }

        Tensor Of(float[] values) => tensor(values, [scenes.Length, ToyScenes.Kinds.Count]).to(logits.device);
        return F.binary_cross_entropy_with_logits(logits, Of(left), weight: Of(counts), reduction: nn.Reduction.Sum).Over(Math.Max(1, counts.Sum()));
    }
}
