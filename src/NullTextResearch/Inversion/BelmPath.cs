using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>
/// O-BELM: each level follows from the two below it by the linear rule with the smallest local error, which can be solved for the lowest of the three. Wang et
/// al. 2024 (arXiv 2410.07273).
/// </summary>
/// <remarks>
/// Sampling back is exact up to rounding errors, which the second move amplifies (a hundredfold at 10 steps): use float64 for an exact reconstruction.
/// </remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class BelmPath(BelmOptions? options = null) : IPath
{
    private readonly BelmOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "O-BELM";

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Two neighbouring levels of the grid are equal.</exception>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        _options.Validate();
        return new TwoStepClimb
        {
            Name = Name,
            Kind = BelmOptions.PathId,
            Rule = Rule,
            Strength = _options.Strength,
            GuidanceScale = _options.GuidanceScale,
            CleanImage = _options.CleanImage,
        }.Climb(problem, progress, cancellation);
    }

    /// <summary>The rule for three neighbouring levels.</summary>
    /// <param name="clean">Cleanest of the three.</param>
    /// <param name="middle">Between them.</param>
    /// <param name="noisy">Noisiest.</param>
    public static TwoStepRule Rule(NoiseLevel clean, NoiseLevel middle, NoiseLevel noisy)
    {
        double below = Ratio(middle) - Ratio(clean),
            above = Ratio(noisy) - Ratio(middle);
        if (below == 0 || above == 0)
            throw new ArgumentException(
                "O-BELM needs distinct noise levels, but two neighbours in this grid are equal; use another number of steps, another offset, or CleanImage."
            );
        double growth = above / below,
            signal = noisy.Signal;
        return new TwoStepRule(signal / clean.Signal * growth * growth, signal / middle.Signal * (1 - (growth * growth)), signal * (below + above) * growth);
    }

    private static double Ratio(NoiseLevel level) => level.Noise / level.Signal;
}
