using NullTextResearch.Metrics;

namespace NullTextResearch.Figures;

/// <summary>One curve: y over x, with an optional spread.</summary>
/// <param name="Name">Name in the legend, unique in its chart.</param>
/// <param name="X">Positions, in the x axis's unit.</param>
/// <param name="Y">Values, in the y axis's unit, as many as <paramref name="X"/>; non-finite values leave a gap.</param>
public sealed record LineSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y)
{
    /// <summary>Lower bound at every point (y units, absolute), or null.</summary>
    public IReadOnlyList<double>? Lower { get; init; }

    /// <summary>Upper bound at every point (y units, absolute), or null.</summary>
    public IReadOnlyList<double>? Upper { get; init; }

    /// <summary>How the bounds are drawn (default: band).</summary>
    public SpreadStyle Spread { get; init; } = SpreadStyle.Band;

    /// <summary>Draw dashes instead of a solid line (default: solid).</summary>
    public bool Dashed { get; init; }

    /// <summary>Mark every point (default: true).</summary>
    public bool Markers { get; init; } = true;

    /// <summary>Draw thicker than the others: the series the figure is about (default: false).</summary>
    public bool Emphasis { get; init; }

    /// <summary>Individual measurements behind every value, drawn as faint dots, or null.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? Dots { get; init; }

    /// <summary>CSS colour such as <c>#0072b2</c>; null (default) takes the next one of the palette.</summary>
    public string? Color { get; init; }

    /// <summary>
    /// Means over repeated measurements, one group per x: with the 95 % interval of the mean for at least <see cref="Claim.FewestImages"/>
    /// measurements, else with a dot for each.
    /// </summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="x">Positions.</param>
    /// <param name="samples">For every position, the measured values (at least one each).</param>
    /// <param name="floor">The lowest possible measurement, below which no interval reaches; null for none.</param>
    /// <returns>A series whose value is the mean.</returns>
    /// <exception cref="ArgumentException">A position has no value, or the counts differ.</exception>
    public static LineSeries FromSamples(string name, IReadOnlyList<double> x, IReadOnlyList<IReadOnlyList<double>> samples, double? floor = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(samples);
        if (x.Count != samples.Count || samples.Any(group => group.Count == 0))
        {
            throw new ArgumentException(
                $"Series '{name}' has {x.Count} positions and {samples.Count} groups of samples; give one non-empty group per position.",
                nameof(samples)
            );
        }

        LineSeries series = new(name, x, [.. samples.Select(group => group.Average())]);
        int fewest = samples.Min(group => group.Count);
        if (fewest < Claim.FewestImages)
            return fewest > 1 ? series with { Dots = samples } : series;
        PairedDifference[] means = [.. samples.Select(PairedDifference.Of)];
        return series with { Lower = [.. means.Select(m => Math.Max(m.Low, floor ?? double.NegativeInfinity))], Upper = [.. means.Select(m => m.High)] };
    }
}
