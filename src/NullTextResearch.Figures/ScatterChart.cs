namespace NullTextResearch.Figures;

/// <summary>One group of points in a plane.</summary>
/// <param name="Name">Name in the legend, unique in its chart.</param>
/// <param name="X">Horizontal positions, in the x axis's unit.</param>
/// <param name="Y">Vertical positions, in the y axis's unit, as many as <paramref name="X"/>.</param>
public sealed record ScatterSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y)
{
    /// <summary>A short text beside every point, as many as points; null (default) for none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Join the points in the order given (default: false).</summary>
    public bool Connected { get; init; }

    /// <summary>CSS colour such as <c>#0072b2</c>; null (default) takes the next one of the palette.</summary>
    public string? Color { get; init; }
}

/// <summary>Points in a plane: trade-offs between two measures.</summary>
public sealed record ScatterChart : Chart
{
    /// <summary>The groups of points; at least one.</summary>
    public required IReadOnlyList<ScatterSeries> Series { get; init; }

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

        foreach (ScatterSeries series in Series)
        {
            if (series.X.Count != series.Y.Count || (series.Labels is { } labels && labels.Count != series.X.Count))
            {
                yield return $"series '{series.Name}' has {series.X.Count} x and {series.Y.Count} y values and "
                    + $"{series.Labels?.Count.ToString(Csv.Culture) ?? "no"} labels";
            }
        }
    }

    internal override void Draw(PlotlyFigure figure)
    {
        for (int i = 0; i < Series.Count; i++)
        {
            figure.AddPoints(Series[i], i);
        }

        figure.AddHorizontalLines(HorizontalLines);
        figure.Set("hovermode", "closest");
    }

    internal override IReadOnlyList<string> CsvHeader() => ["series", XAxis.Label, YAxis.Label, "label"];

    internal override IEnumerable<IReadOnlyList<string?>> CsvRows()
    {
        foreach (ScatterSeries series in Series)
        {
            for (int i = 0; i < series.X.Count; i++)
            {
                yield return [series.Name, Csv.Number(series.X[i]), Csv.Number(series.Y[i]), series.Labels?[i]];
            }
        }

        foreach (ReferenceLine line in HorizontalLines)
        {
            yield return [line.Name, null, Csv.Number(line.Value), null];
        }
    }
}
