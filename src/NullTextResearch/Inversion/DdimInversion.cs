using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>
/// DDIM sampling run backwards, from clean to noisy. The result samples with the plain empty embedding, which does not reconstruct the image at w above 1.
/// </summary>
/// <param name="options">Options; null for the released code's defaults.</param>
public sealed class DdimInversion(DdimInversionOptions? options = null) : IInversion, IPath
{
    private readonly DdimInversionOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "DDIM inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        new PathInversion(_options).Invert(problem, progress, cancellation);

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        new() { Levels = Trajectory(problem, _options, progress, cancellation) };

    /// <summary>The latents at every noise level, clean to noisy.</summary>
    /// <param name="problem">Images, prompts, predictor; its guidance scale is not used.</param>
    /// <param name="options">Options; null for the released code's defaults.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>T+1 latents, owned by the caller.</returns>
    /// <remarks>
    /// Mokady et al., section 3.1. Each move is the sampler's, with its two noise levels swapped; it is exact if the prediction does not change over the step.
    /// </remarks>
    public static PivotTrajectory Trajectory(
        InversionProblem problem,
        DdimInversionOptions? options = null,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        problem.Validate();
        options ??= new();
        return problem.Climb(
            "DDIM inversion",
            (latents, step) =>
            {
                int told = options.NoiseTimestep == NoiseTimestep.Destination ? step.Timestep : problem.Grid.CleanTimestep(step.Step);
                return Ddim.Move(latents, problem.Predict(latents, step with { Timestep = told }, options.GuidanceScale), step.Clean, step.Noisy);
            },
            progress,
            cancellation
        );
    }
}
