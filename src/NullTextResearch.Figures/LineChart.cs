using NullTextResearch.Metrics;

namespace NullTextResearch.Figures;

/// <summary>How the spread of a series is drawn.</summary>
public enum SpreadStyle
{
    /// <summary>A filled area between the bounds.</summary>
    Band,

    /// <summary>Whiskers at every point.</summary>
    ErrorBars,
}

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

    /// <summary>Single measurements behind every value, drawn as faint dots, or null.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? Dots { get; init; }

    /// <summary>CSS colour such as <c>#0072b2</c>; null (default) takes the next one of the palette.</summary>
    public string? Color { get; init; }

    /// <summary>
    /// Means over repeated measurements, one group per x: with the 95 % interval of the mean from <see cref="Claim.FewestImages"/> measurements on,
    /// else with a dot for each.
    /// </summary>
    /// <param name="name">Name in the legend.</param>
    /// <param name="x">Positions.</param>
    /// <param name="samples">For every position, the measured values (at least one each).</param>
    /// <param name="floor">What no measurement can fall below: intervals end there. Null for none.</param>
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

/// <summary>Curves over a common x axis.</summary>
public sealed record LineChart : Chart
{
    /// <summary>The curves, first drawn first; at least one.</summary>
    public required IReadOnlyList<LineSeries> Series { get; init; }

    /// <summary>Lines across the chart at fixed y values (default: none).</summary>
    public IReadOnlyList<ReferenceLine> HorizontalLines { get; init; } = [];

    internal override IEnumerable<string> Problems()
    {
        if (Series.Count == 0)
        {
            yield return "it has no series";
        }

        foreach (string problem in NameProblems([.. Series.Select(s => s.Name), .. HorizontalLines.Select(l => l.Name)]))
        {
            yield return problem;
        }

        foreach (LineSeries series in Series)
        {
            if (series.X.Count != series.Y.Count)
            {
                yield return $"series '{series.Name}' has {series.X.Count} x and {series.Y.Count} y values";
            }

            foreach (string problem in BoundProblems(series.Name, series.Y.Count, series.Lower, series.Upper))
            {
                yield return problem;
            }
        }
    }

    internal override void Draw(PlotlyFigure figure)
    {
        // Bands first, so that no curve lies under another one's band.
        for (int i = 0; i < Series.Count; i++)
        {
            if (Series[i] is { Lower: not null, Upper: not null, Spread: SpreadStyle.Band } series)
            {
                figure.AddBand(series, i);
            }
        }

        for (int i = 0; i < Series.Count; i++)
        {
            figure.AddDots(Series[i], i);
            figure.AddLine(Series[i], i);
        }

        figure.AddHorizontalLines(HorizontalLines);
        figure.Set("hovermode", "x unified");
    }

    internal override IEnumerable<IReadOnlyList<string?>> CsvRows()
    {
        foreach (LineSeries series in Series)
        {
            for (int i = 0; i < series.X.Count; i++)
            {
                yield return
                [
                    series.Name,
                    Csv.Number(series.X[i]),
                    Csv.Number(series.Y[i]),
                    series.Lower is null ? null : Csv.Number(series.Lower[i]),
                    series.Upper is null ? null : Csv.Number(series.Upper[i]),
                ];
            }
        }

        foreach (IReadOnlyList<string?> row in LineRows(HorizontalLines))
        {
            yield return row;
        }
    }
}
