using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Direct inversion: records at each step by how much guided sampling misses the pivot, and adds that to the latents of the
/// source branch when sampling. No optimisation. Ju et al. 2024.
/// </summary>
/// <param name="options">How the pivot is found; null for DDIM inversion as in the released code.</param>
public sealed class DirectInversion(PathOptions? options = null) : IInversion
{
    private readonly PathOptions _options = options ?? new DdimInversionOptions();

    /// <inheritdoc/>
    public string Name => "direct inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        InversionProblem counted = problem with { Predictor = meter };
        PivotTrajectory pivot = _options.ClimbPlain(counted, Name, progress, cancellation);
        try
        {
            Tensor offsets = Offsets(counted, pivot, problem.Conditional, progress, cancellation).Keep();
            return new InversionResult
            {
                Method = Name,
                GuidanceScale = problem.GuidanceScale,
                StartLatents = pivot.Noisiest.Snapshot(),
                Conditional = StepEmbeddings.Constant(problem.Conditional),
                Unconditional = StepEmbeddings.Constant(problem.Unconditional),
                Replay = new OffsetReplay(offsets),
                Pivot = pivot,
                EvaluationsPerImage = meter.ForwardsPerImage,
                BackwardsPerImage = meter.BackwardsPerImage,
                Elapsed = meter.Elapsed,
                Options = _options,
            };
        }
        catch
        {
            pivot.Dispose();
            throw;
        }
    }

    /// <summary>z*_t-1 minus the guided move from z*_t, for one or more prompts along the pivot.</summary>
    /// <param name="problem">Predictor, grid, guidance scale and empty embedding; its prompts are not used.</param>
    /// <param name="pivot">Trajectory with R rows, or one row for all prompts; borrowed.</param>
    /// <param name="conditional">The prompts, R rows; borrowed.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>[T, R, 4, H, W]; owned by the caller's dispose scope.</returns>
    public static Tensor Offsets(
        InversionProblem problem,
        PivotTrajectory pivot,
        Conditioning conditional,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (pivot.Steps != problem.Grid.Steps)
            throw new ArgumentException($"The pivot has {pivot.Steps} steps but the grid has {problem.Grid.Steps}; invert with the same grid.");
        Shape.Require(problem.Unconditional.Tokens, [1, -1, -1]);
        long rows = conditional.Count;
        long[] shape = [rows, .. pivot.Clean.shape[1..]];
        if (pivot.Clean.shape[0] != 1)
            Shape.Require(pivot.Clean, shape);
        using DisposeScope outer = NewDisposeScope();
        Conditioning.RequireSame(conditional, problem.Unconditional.Expand(rows));
        using IDisposable grad = no_grad();
        SamplingPlan plan = new()
        {
            StartLatents = pivot.Noisiest,
            Conditional = StepEmbeddings.Constant(conditional),
            Unconditional = StepEmbeddings.Constant(problem.Unconditional),
            GuidanceScale = problem.GuidanceScale,
        };
        using StepEmbeddings ownedConditional = plan.Conditional;
        using StepEmbeddings ownedUnconditional = plan.Unconditional;
        Tensor latents = pivot.Noisiest.expand(shape);
        List<Tensor> offsets = [];
        foreach (DiffusionStep step in problem.Grid.Moves)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Tensor moved = Ddim.Move(latents, Sampler.Predict(problem.Predictor, plan, step, latents), step.Noisy, step.Clean);
            Tensor offset = pivot.TargetOf(step).sub(moved);
            // Not the pivot itself, but the latents that a sampler will have after adding the offset; they differ by rounding.
            latents.Dispose();
            latents = moved.Plus(offset).MoveToOuterDisposeScope();
            offsets.Add(offset.MoveToOuterDisposeScope());
            progress?.Report(new InversionProgress("direct inversion", step.Step + 1, problem.Grid.Steps));
        }
        return stack(offsets).MoveToOuterDisposeScope();
    }
}
