namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text optimisation against a pivot that is not found by inversion: the image plus one random noise per image, scaled to each noise level. Mokady et al.,
/// section 4 ("random pivot").
/// </summary>
/// <param name="options">Options; null for those of null-text inversion. Those of its DDIM inversion are ignored.</param>
/// <param name="seed">Seed of the noise; an image's noise depends on this seed and on the image's key.</param>
public sealed class RandomPivotInversion(NullTextOptions? options = null, long seed = 0) : IInversion
{
    private readonly NullTextOptions _options = options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    public string Name => "random pivot";

    /// <inheritdoc/>
    public object Options => new RandomPivotOptions(_options, seed);

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        return new PivotalOptimisation(Name, problem with { Predictor = meter }, _options, Trained.Unconditional, meter).Run(
            RandomNoisePath.Trajectory(problem, seed),
            null,
            null,
            new RandomPivotOptions(_options, seed),
            progress,
            cancellation
        );
    }
}
