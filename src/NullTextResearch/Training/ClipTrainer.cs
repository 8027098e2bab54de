using NullTextResearch.Perception;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.Vae;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Training;

/// <summary>
/// Trains a small CLIP on rendered scenes and their captions (contrastive loss, Radford et al. 2021), so that text-image metrics can be computed for toy scenes
/// without published weights.
/// </summary>
internal static class ClipTrainer
{
    /// <summary>Captions among which the right one is looked for.</summary>
    public const int Choices = 32;

    // Seeds used by no other stage.
    private const long FirstSeed = 1L << 42;
    private const long FirstHeldOut = 400_000;
    private const string LogitScale = "logit_scale";
    private const double LargestLogitScale = 4.6052;

    /// <summary>Trains, or resumes training; on return the network holds the averaged weights.</summary>
    public static void Train(
        ClipModel clip,
        ITextTokenizer tokenizer,
        AutoencoderKL vae,
        TrainingRecipe recipe,
        TrainingRunOptions options,
        WorkerPool pool,
        CancellationToken cancel
    )
    {
        Initialise(clip, recipe, options);
        using FlatParameters parameters = new(clip.Weights);
        using StageLoop loop = new("clip", recipe.ClipStage, options, pool, parameters, new AdamWSettings { AverageDecay = 0.998 });
        SceneTraining.Run(
            loop,
            recipe.ClipStage,
            recipe,
            options,
            pool,
            FirstSeed,
            (scenes, pixels, first) =>
            {
                SceneRandom random = new(first);
                string[] captions =
                [
                    .. scenes.Select(s => random.Chance(recipe.Domain.FreeCaptions / 2) ? CaptionGrammar.DescribeFreely(s, random) : s.Caption),
                ];
                Tensor images = Images(clip, ClassifierTrainer.Disturb(pixels, vae, recipe, first)),
                    texts = Texts(clip, tokenizer, captions);
                return Loss(clip, images, texts, [.. scenes.Select(s => s.Caption)]);
            },
            renderers => Retrieval(clip, tokenizer, recipe, options.Device, pool, renderers, 4),
            cancel
        );
        loop.AdoptAverage();
        clip.Weights.SetTrainable(false);
    }

    /// <summary>Loads the averaged weights of the checkpoint.</summary>
    public static void LoadAverage(ClipModel clip, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool) =>
        SceneTraining.LoadAverage("clip", recipe.ClipStage, clip.Weights, recipe, options, pool);

    /// <summary>Share of held-out pictures whose own caption is nearest among <see cref="Choices"/> different ones, 0..1.</summary>
    public static double Retrieval(
        ClipModel clip,
        ITextTokenizer tokenizer,
        TrainingRecipe recipe,
        Device device,
        WorkerPool pool,
        SceneRenderer[] renderers,
        int groups
    )
    {
        int[] right = new int[groups];
        pool.Run(
            groups,
            (worker, group) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                SceneDescription[] scenes =
                [
                    .. Enumerable
                        .Range(0, 4 * Choices)
                        .Select(i => ToyScenes.Sample(FirstHeldOut + (4L * Choices * group) + i, SceneSplit.HeldOut, recipe.Scenes))
                        .DistinctBy(s => s.Caption)
                        .Take(Choices),
                ];
                Tensor images = Images(clip, SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(device)),
                    texts = Texts(clip, tokenizer, [.. scenes.Select(s => s.Caption)]);
                long[] nearest = images.matmul(texts.t()).argmax(1).cpu().data<long>().ToArray();
                right[group] = nearest.Index().Count(n => n.Item == n.Index);
            }
        );
        return right.Sum() / (double)(groups * Choices);
    }

    private static void Initialise(ClipModel clip, TrainingRecipe recipe, TrainingRunOptions options)
    {
        clip.Weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        // A temperature of 0.07, as in the original.
        clip.Weights.Find(LogitScale)!.Value.copy_(tensor((float)Math.Log(1 / 0.07)));
    }

    private static Tensor Images(ClipModel clip, Tensor pixels) => ClipSimilarity.Normalised(clip.ImageFeatures(ClipSimilarity.Normalise(pixels)));

    private static Tensor Texts(ClipModel clip, ITextTokenizer tokenizer, IReadOnlyList<string> captions) =>
        ClipSimilarity.Normalised(clip.TextFeatures(TokenizedPrompt.Stack([.. captions.Select(tokenizer.Tokenize)], clip.Device)));

    /// <summary>Cross-entropy of both directions. Pairs whose scenes have one caption are no negatives of each other.</summary>
    private static Tensor Loss(ClipModel clip, Tensor images, Tensor texts, string[] facts)
    {
        int n = facts.Length;
        float[] same = [.. Enumerable.Range(0, n * n).Select(k => k / n != k % n && facts[k / n] == facts[k % n] ? -1e9f : 0)];
        Tensor scale = clip.Weights.Find(LogitScale)!.Value.Clamped(-LargestLogitScale, LargestLogitScale).exp(),
            logits = images.matmul(texts.t()).mul(scale).Plus(tensor(same, [n, n]).to(images.device)),
            diagonal = ScalarArithmetic.Range(n, ScalarType.Int64, images.device);
        return F.cross_entropy(logits, diagonal).Plus(F.cross_entropy(logits.t(), diagonal)).Over(2);
    }
}
