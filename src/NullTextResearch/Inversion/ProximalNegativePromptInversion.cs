using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Negative-prompt inversion with sparse guidance: where prompt and source prompt hardly differ, the edit is suppressed and latents are pulled back to those of
/// the inversion. No optimisation. Han et al. 2024 (arXiv 2306.05414).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class ProximalNegativePromptInversion(ProximalOptions? options = null) : IInversion
{
    private readonly ProximalOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "proximal negative-prompt inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        OptionProblems.ThrowIfAny(nameof(ProximalOptions), _options.Problems());
        InversionMeter meter = new(problem.Predictor, problem.Images);
        PivotTrajectory pivot = _options.Inversion.ClimbPlain(problem with { Predictor = meter }, Name, progress, cancellation);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor targets = stack([.. problem.Grid.Moves.Select(pivot.TargetOf)]);
        return new InversionResult
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = pivot.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(problem.Conditional),
            Replay = new ProximalReplay(targets.Keep(), _options, problem.Grid.Schedule.TrainTimesteps),
            Pivot = pivot,
            EvaluationsPerImage = meter.ForwardsPerImage,
            BackwardsPerImage = meter.BackwardsPerImage,
            Elapsed = meter.Elapsed,
            Options = _options,
        };
    }
}
