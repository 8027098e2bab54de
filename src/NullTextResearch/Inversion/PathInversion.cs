using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;

namespace NullTextResearch.Inversion;

/// <summary>A path without a method on top: images become noise along the path and are sampled back with the plain empty embedding.</summary>
/// <param name="path">Which path, and its options; null for DDIM inversion as released.</param>
public sealed class PathInversion(PathOptions? path = null) : IInversion
{
    private readonly PathOptions _options = path ?? new DdimInversionOptions();

    /// <inheritdoc/>
    public string Name => _options.Create().Name;

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        IPath climber = _options.Create();
        Walk walk = climber.Climb(problem with { Predictor = meter }, progress, cancellation);
        return new InversionResult
        {
            Method = climber.Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = walk.Levels[walk.Levels.Steps - walk.Replay.FirstStep].Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(problem.Unconditional),
            Pivot = walk.Levels,
            Replay = walk.Replay,
            EvaluationsPerImage = meter.ForwardsPerImage,
            BackwardsPerImage = meter.BackwardsPerImage,
            GradientBackOffs = meter.BackOffs,
            Elapsed = meter.Elapsed,
            Options = _options,
        };
    }
}
