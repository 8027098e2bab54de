using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Helpers shared by the paths.</summary>
internal static class Climbing
{
    /// <summary>The noise prediction at guidance scale w: one evaluation per image if w is 1, two otherwise; owned by the caller's dispose scope.</summary>
    public static Tensor Predict(this InversionProblem problem, Tensor latents, DiffusionStep step, double guidanceScale) =>
        guidanceScale == 1
            ? problem.Predictor.Predict(latents, step, problem.Conditional)
            : Guidance.Predict(problem.Predictor, latents, step, problem.Conditional, problem.Unconditional, guidanceScale);

    /// <summary>Goes from clean to noisy, level by level, without gradients.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="name">Name of the path, for progress reports.</param>
    /// <param name="next">
    /// Takes the latents of a level and the sampler's move that ends at it; returns the latents of the next level. Its temporaries are freed.
    /// </param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>T+1 latents, owned by the caller.</returns>
    public static PivotTrajectory Climb(
        this InversionProblem problem,
        string name,
        Func<Tensor, DiffusionStep, Tensor> next,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        TimestepGrid grid = problem.Grid;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        List<Tensor> levels = [problem.Latents.detach()];
        for (int level = 0; level < grid.Steps; level++)
        {
            cancellation.ThrowIfCancellationRequested();
            Tensor latents = levels[^1];
            levels.Add(Lifetime.Scoped(() => next(latents, grid.Moves[grid.Steps - 1 - level])));
            progress?.Report(new InversionProgress(name, level + 1, grid.Steps));
        }
        return new PivotTrajectory(levels);
    }
}
