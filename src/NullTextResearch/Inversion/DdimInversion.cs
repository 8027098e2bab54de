using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Which timestep the network is told while latents are moved from one noise level to the next noisier one.</summary>
public enum NoiseTimestep
{
    /// <summary>That of the level to reach: the latents of z_t-1 are judged at t. The released code.</summary>
    Destination,

    /// <summary>That of the level the latents have (timestep 0 for clean latents): the paper's formula.</summary>
    Source,
}

/// <summary>Options of <see cref="DdimInversion"/>; defaults are the released code's.</summary>
public sealed record DdimInversionOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "ddim";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>w of the inversion itself; above 1 both embeddings are mixed by classifier-free guidance at every step.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>Which timestep the network is told.</summary>
    public NoiseTimestep NoiseTimestep { get; init; } = NoiseTimestep.Destination;

    /// <inheritdoc/>
    public override IPath Create() => new DdimInversion(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}

/// <summary>
/// DDIM sampling run backwards, from clean to noisy. The result samples with the plain empty embedding, which at w above 1
/// does not lead back to the image.
/// </summary>
/// <param name="options">Options; null means the released code's.</param>
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
    /// <param name="options">Options; null means the released code's.</param>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <param name="cancellation">Checked at every step.</param>
    /// <returns>T+1 latents, owned by the caller.</returns>
    /// <remarks>
    /// Mokady et al., section 3.1. Each move is the sampler's, with its two noise levels exchanged; it is exact where the
    /// prediction does not change over the step.
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
