using NullTextResearch.Scenes;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>What the stages have in common that train one network on scenes rendered on the fly; no scene is used twice.</summary>
internal static class SceneTraining
{
    /// <summary>Runs a stage.</summary>
    /// <param name="loop">The stage; resumes where its checkpoint stopped.</param>
    /// <param name="stage">Its schedule.</param>
    /// <param name="recipe">Which scenes, and their size.</param>
    /// <param name="options">The device.</param>
    /// <param name="pool">Its workers share each batch.</param>
    /// <param name="firstSeed">Seed of the first scene of step 0; the stages' ranges do not overlap.</param>
    /// <param name="loss">Loss of some scenes, their pixels [n, 3, H, W] in -1..1, and the seed of the first of them.</param>
    /// <param name="measure">Held-out measure for the log.</param>
    /// <param name="cancel">Stops after the current step; the checkpoint keeps what was done.</param>
    public static void Run(
        StageLoop loop,
        StageSchedule stage,
        TrainingRecipe recipe,
        TrainingRunOptions options,
        WorkerPool pool,
        long firstSeed,
        Func<SceneDescription[], Tensor, long, Tensor> loss,
        Func<SceneRenderer[], double> measure,
        CancellationToken cancel
    ) =>
        WithRenderers(
            pool,
            renderers =>
            {
                int part = stage.Batch / stage.Parts;
                loop.Run(
                    (worker, step, job) =>
                    {
                        long first = firstSeed + step * stage.Batch + (long)job * part;
                        SceneDescription[] scenes = [.. Enumerable.Range(0, part).Select(i => ToyScenes.Sample(first + i, SceneSplit.Train, recipe.Scenes))];
                        return loss(scenes, SceneBatch.Pixels(renderers[worker], scenes, recipe.ImageSize).to(options.Device), first);
                    },
                    _ => measure(renderers),
                    cancel
                );
            }
        );

    /// <summary>Loads the averaged weights of a stage's checkpoint.</summary>
    public static void LoadAverage(string name, StageSchedule stage, WeightSet weights, TrainingRecipe recipe, TrainingRunOptions options, WorkerPool pool)
    {
        weights.Initialise(recipe.Seed, options.Device, ScalarType.Float32);
        using FlatParameters parameters = new(weights);
        using StageLoop loop = new(name, stage, options, pool, parameters, new AdamWSettings());
        loop.AdoptAverage();
        weights.SetTrainable(false);
    }

    /// <summary>Runs <paramref name="body"/> with one renderer per worker.</summary>
    public static void WithRenderers(WorkerPool pool, Action<SceneRenderer[]> body)
    {
        SceneRenderer[] renderers = [.. Enumerable.Range(0, pool.Workers).Select(_ => new SceneRenderer())];
        try
        {
            body(renderers);
        }
        finally
        {
            foreach (SceneRenderer renderer in renderers)
                renderer.Dispose();
        }
    }
}
