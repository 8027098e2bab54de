namespace NullTextResearch.Figures;

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
