using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Negative-prompt inversion: the prompt's own embedding replaces the unconditional one, so guidance at any scale equals guidance 1 as long as nothing is
/// edited. No optimisation. Miyake et al. 2023.
/// </summary>
/// <param name="options">Options; null for no interpolation.</param>
public sealed class NegativePromptInversion(NegativePromptOptions? options = null) : IInversion
{
    private readonly NegativePromptOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "negative-prompt inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        if (!(_options.Interpolation is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Interpolation is {_options.Interpolation}; it must lie in [0, 1]."));
        InversionMeter meter = new(problem.Predictor, problem.Images);
        PivotTrajectory pivot = _options.Inversion.ClimbPlain(problem with { Predictor = meter }, Name, progress, cancellation);
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return new InversionResult
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = pivot.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(
                _options.Interpolation == 0
                    ? problem.Conditional
                    : problem.Conditional.Zip(problem.UnconditionalRows(), (prompt, empty) => Slerp(prompt, empty, _options.Interpolation))
            ),
            Pivot = pivot,
            EvaluationsPerImage = meter.ForwardsPerImage,
            BackwardsPerImage = meter.BackwardsPerImage,
            Elapsed = meter.Elapsed,
            Options = _options,
        };
    }

    /// <summary>Spherical interpolation between the rows of two batches, each row one flat vector.</summary>
    /// <param name="from">Rows at share 0, [B, ...]; borrowed.</param>
    /// <param name="to">Rows at share 1, same shape; borrowed.</param>
    /// <param name="share">Between 0 and 1.</param>
    /// <returns>
    /// sin((1-f) omega)/sin(omega) from + sin(f omega)/sin(omega) to, with omega the angle between the rows (linear interpolation if they are parallel); owned
    /// by the caller's dispose scope.
    /// </returns>
    public static Tensor Slerp(Tensor from, Tensor to, double share)
    {
        Shape.RequireSame(to, from);
        return Lifetime.WithoutGradient(() =>
        {
            Tensor a = from.flatten(1);
            Tensor b = to.flatten(1);
            Tensor cosine = a.div(a.norm(1, keepdim: true)).mul(b.div(b.norm(1, keepdim: true))).sum(1, keepdim: true);
            Tensor omega = cosine.Clamped(-1, 1).acos();
            Tensor sine = omega.sin();
            Tensor arc = omega.Times(1 - share).sin().div(sine).mul(a).Plus(omega.Times(share).sin().div(sine).mul(b));
            Tensor line = a.Times(1 - share).Plus(b.Times(share));
            return where(sine.abs().Below(1e-6), line, arc).reshape(from.shape);
        });
    }
}
