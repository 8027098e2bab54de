using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text inversion: DDIM inversion at guidance 1 gives the pivot, then one unconditional embedding per step and image is
/// optimised so that guided sampling follows the pivot back. Mokady et al., CVPR 2023, Algorithm 1.
/// </summary>
/// <param name="options">Options; null for the released code's defaults.</param>
public sealed class NullTextInversion(NullTextOptions? options = null) : IInversion
{
    private readonly NullTextOptions _options = options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    public string Name => "null-text inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <summary>
    /// Receives the gradient of every inner step before its update: step, inner step from 0, and gradient of the images still being optimised, [rows, tokens,
    /// d], borrowed. For diagnosis and comparison; null to disable.
    /// </summary>
    public Action<DiffusionStep, int, Tensor>? GradientObserver { get; init; }

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        Invert(problem, null, null, progress, cancellation);

    /// <summary>Inverts a batch of images, from the start or from a saved state.</summary>
    /// <param name="problem">Images, prompts, predictor; the same as in the interrupted run.</param>
    /// <param name="resume">State to resume from, borrowed; null to start from scratch.</param>
    /// <param name="checkpoint">Called after each step with a state to save; null to disable.</param>
    /// <param name="progress">Called after each inner step and each step; null to disable.</param>
    /// <param name="cancellation">Checked at every inner step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller; equal to that of an uninterrupted run.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    public InversionResult Invert(
        InversionProblem problem,
        NullTextState? resume,
        Action<NullTextState>? checkpoint,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        problem.Validate();
        _options.Validate();
        if (resume is not null)
            RequireFits(resume, problem);
        InversionMeter meter = resume is null
            ? new(problem.Predictor, problem.Images)
            : new(problem.Predictor, problem.Images, resume.Forwards, resume.Backwards, resume.Elapsed);
        InversionProblem counted = problem with { Predictor = meter };
        PivotTrajectory pivot = resume is null ? _options.Inversion.ClimbPlain(counted, Name, progress, cancellation) : resume.Pivot.Copy();
        return new PivotalOptimisation(Name, counted, _options, Trained.Unconditional, meter) { GradientObserver = GradientObserver }.Run(
            pivot,
            resume,
            checkpoint,
            _options,
            progress,
            cancellation
        );
    }

    /// <summary>Optimises against a given pivot, however it was found.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="pivot">Trajectory to follow, with one row per image; borrowed, the result gets a copy.</param>
    /// <param name="progress">Called after each inner step and each step; null to disable.</param>
    /// <param name="cancellation">Checked at every inner step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller; its evaluations do not include those that found the pivot.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    public InversionResult Invert(
        InversionProblem problem,
        PivotTrajectory pivot,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        problem.Validate();
        _options.Validate();
        RequireFits(pivot, problem);
        InversionMeter meter = new(problem.Predictor, problem.Images);
        return new PivotalOptimisation(Name, problem, _options, Trained.Unconditional, meter) { GradientObserver = GradientObserver }.Run(
            pivot.Copy(),
            null,
            null,
            _options,
            progress,
            cancellation
        );
    }

    private static void RequireFits(NullTextState state, InversionProblem problem)
    {
        RequireFits(state.Pivot, problem);
        if (state.StepsDone > problem.Grid.Steps)
            throw new ArgumentException($"The saved state has {state.StepsDone} steps but the grid has {problem.Grid.Steps}; resume with the same grid.");
        if (state.Optimisation.Count != problem.Images)
            throw new ArgumentException($"The saved state has {state.Optimisation.Count} images, not {problem.Images}; resume with the same images.");
        Shape.RequireSame(state.Latents, problem.Latents);
        foreach (Tensor embedding in state.Embeddings)
            Shape.RequireSame(embedding, problem.Conditional.Tokens);
    }

    private static void RequireFits(PivotTrajectory pivot, InversionProblem problem)
    {
        if (pivot.Steps != problem.Grid.Steps)
            throw new ArgumentException($"The pivot has {pivot.Steps} steps but the grid has {problem.Grid.Steps}; invert with the same grid.");
        Shape.RequireSame(pivot.Clean, problem.Latents);
    }
}
