namespace NullTextResearch.Figures;

/// <summary>Values per category, side by side for several series.</summary>
public sealed record BarChart : Chart
{
    /// <summary>Names along the x axis; at least one, all different.</summary>
    public required IReadOnlyList<string> Categories { get; init; }

    /// <summary>The series; at least one.</summary>
    public required IReadOnlyList<BarSeries> Series { get; init; }

    /// <summary>Lines across the chart at fixed y values (default: none).</summary>
    public IReadOnlyList<ReferenceLine> HorizontalLines { get; init; } = [];

    internal override IEnumerable<string> Problems()
    {
        if (Series.Count == 0 || Categories.Count == 0)
        {
            yield return "it has no bars; give at least one category and one series";
        }

        if (Categories.Distinct(StringComparer.Ordinal).Count() != Categories.Count)
        {
            yield return "two categories have the same name; their bars would overlap";
        }

        foreach (string problem in NameProblems([.. Series.Select(s => s.Name), .. HorizontalLines.Select(l => l.Name)]))
        {
            yield return problem;
        }

        foreach (BarSeries series in Series)
        {
            if (series.Values.Count != Categories.Count)
            {
                yield return $"series '{series.Name}' has {series.Values.Count} values for {Categories.Count} categories";
            }

            foreach (string problem in BoundProblems(series.Name, series.Values.Count, series.Lower, series.Upper))
            {
                yield return problem;
            }
        }
    }

    internal override void Draw(PlotlyFigure figure)
    {
        for (int i = 0; i < Series.Count; i++)
        {
            figure.AddBars(Categories, Series[i], i, showLegend: Series.Count > 1 || HorizontalLines.Count > 0);
        }

        figure.AddHorizontalLines(HorizontalLines);
        figure.Set("barmode", "group");
        figure.Set("bargap", 0.28);
        figure.Set("bargroupgap", 0.08);
        figure.Set("hovermode", "closest");
    }

    internal override IEnumerable<IReadOnlyList<string?>> CsvRows()
    {
        foreach (BarSeries series in Series)
        {
            for (int i = 0; i < Categories.Count; i++)
            {
                yield return
                [
                    series.Name,
                    Categories[i],
                    Csv.Number(series.Values[i]),
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
