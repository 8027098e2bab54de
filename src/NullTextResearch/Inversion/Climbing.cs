using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>What paths share.</summary>
internal static class Climbing
{
    /// <summary>The noise prediction at w, with one evaluation an image where w is 1 and two otherwise; owned by the caller's dispose scope.</summary>
    public static Tensor Predict(this InversionProblem problem, Tensor latents, DiffusionStep step, double guidanceScale) =>
        guidanceScale == 1
            ? problem.Predictor.Predict(latents, step, problem.Conditional)
            : Guidance.Predict(problem.Predictor, latents, step, problem.Conditional, problem.Unconditional, guidanceScale);

    /// <summary>Climbs level by level, from clean to noisy, without gradients.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="name">Whose climb it is, for the progress.</param>
    /// <param name="next">Gets the latents of a level and the move that leads down to it, gives those of the next level. Its temporaries are freed.</param>
    /// <param name="progress">Told after each step; may be null.</param>
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
