using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Training;

/// <summary>Held-out accuracies of the classifier, 0 to 1.</summary>
/// <param name="Objects">All objects named.</param>
/// <param name="Backgrounds">Background named.</param>
/// <param name="Colours">Colour named, over scenes with exactly one coloured object.</param>
public sealed record ClassifierAccuracy(double Objects, double Backgrounds, double Colours);

/// <summary>Trains the judge on rendered scenes of its own seeds, blurred, noisy and passed through the autoencoder now and then.</summary>
internal static class ClassifierTrainer
{
    // Seeds that neither the autoencoder nor the U-Net trains on.
    private const long FirstSeed = 1L << 41;

    public static void Train(SceneClassifier classifier, AutoencoderKL vae, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool, CancellationToken cancel)
    {
        classifier.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using FlatParameters parameters = new(classifier.Weights);
        using StageLoop loop = new("classifier", recipe.ClassifierStage, options, pool, parameters, new AdamWSettings { AverageDecay = 0.99 });
        VaeTrainer.WithRenderers(pool, renderers =>
        {
            int batch = recipe.ClassifierStage.Batch, part = batch / recipe.ClassifierStage.Parts;
            loop.Run(
                (worker, step, job) =>
                {
                    long first = FirstSeed + step * batch + (long)job * part;
                    SceneDescription[] scenes = [.. Enumerable.Range(0, part).Select(i => ToyScenes.Sample(first + i, SceneSplit.Train, recipe.Scenes))];
                    Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(options.Device);
                    return Loss(classifier, Disturb(pixels, vae, recipe, first), scenes);
                },
                _ => Measure(classifier, null, recipe, options.Device, pool, renderers, 256).Objects,
                cancel);
            loop.AdoptAverage();
        });
        classifier.Weights.SetTrainable(false);
    }

    /// <summary>Puts the averaged weights of the checkpoint in place.</summary>
    public static void LoadAverage(SceneClassifier classifier, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool)
    {
        classifier.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using FlatParameters parameters = new(classifier.Weights);
        using StageLoop loop = new("classifier", recipe.ClassifierStage, options, pool, parameters, new AdamWSettings());
        loop.AdoptAverage();
        classifier.Weights.SetTrainable(false);
    }

    /// <summary>Accuracies on held-out scenes, or on their round trips through <paramref name="vae"/>.</summary>
    public static ClassifierAccuracy Measure(SceneClassifier classifier, AutoencoderKL? vae, TrainingRecipe recipe, Device device, WorkerPool pool, SceneRenderer[] renderers, int count)
    {
        const int Together = 16, FirstHeldOut = 100_000;
        int[] counts = new int[4];
        pool.Run((count + Together - 1) / Together, (worker, job) =>
        {
            using IDisposable grad = no_grad();
            using DisposeScope scope = NewDisposeScope();
            SceneDescription[] scenes = [.. Enumerable.Range(job * Together, Math.Min(Together, count - job * Together)).Select(i => ToyScenes.Sample(FirstHeldOut + i, SceneSplit.HeldOut, recipe.Scenes))];
            Tensor pixels = SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(device);
            if (vae is not null) pixels = vae.Decode(vae.Encode(pixels)).Clamped(-1, 1);
            IReadOnlyList<SceneJudgement> seen = classifier.Judge(pixels);
            for (int i = 0; i < scenes.Length; i++)
            {
                if (seen[i].ObjectsAgree(scenes[i])) Interlocked.Increment(ref counts[0]);
                if (seen[i].Background == scenes[i].Background) Interlocked.Increment(ref counts[1]);
                SceneColour[] colours = [.. scenes[i].Objects.Where(o => o.Colour is not null).Select(o => o.Colour!.Value)];
                if (colours.Length != 1) continue;
                Interlocked.Increment(ref counts[3]);
                if (seen[i].Colour == colours[0]) Interlocked.Increment(ref counts[2]);
            }
        });
        return new ClassifierAccuracy((double)counts[0] / count, (double)counts[1] / count, (double)counts[2] / Math.Max(1, counts[3]));
    }

    /// <summary>Samples and reconstructions are blurrier and noisier than renderings: so is what the judge learns from.</summary>
    private static Tensor Disturb(Tensor pixels, AutoencoderKL vae, TrainingRecipe recipe, long seed)
    {
        using IDisposable grad = no_grad();
        SceneRandom random = new(seed);
        long n = pixels.shape[0], side = pixels.shape[2];
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
        int kinds = ToyScenes.Kinds.Count;
        float[] present = new float[scenes.Length * kinds];
        long[] colours = new long[scenes.Length];
        for (int i = 0; i < scenes.Length; i++)
        {
            foreach (SceneObject o in scenes[i].Objects) present[i * kinds + (int)o.Kind] = 1;
            SceneColour[] coloured = [.. scenes[i].Objects.Where(o => o.Colour is not null).Select(o => o.Colour!.Value)];
            colours[i] = coloured.Length == 1 ? (long)coloured[0] : -100;
        }

        (Tensor objects, Tensor backgrounds, Tensor colour) = classifier.Forward(pixels);
        Tensor loss = F.binary_cross_entropy_with_logits(objects, tensor(present, [scenes.Length, kinds]).to(pixels.device)).Times(4)
            .Plus(F.cross_entropy(backgrounds, tensor(scenes.Select(s => (long)s.Background).ToArray()).to(pixels.device)));
        // A batch without any coloured object has no colour loss (the mean over nothing is not a number), but the weights need a gradient.
        return colours.Any(c => c >= 0)
            ? loss.Plus(F.cross_entropy(colour, tensor(colours).to(pixels.device), ignore_index: -100).Times(0.5))
            : loss.Plus(colour.sum().Times(0));
    }
}
