namespace NullTextResearch.Figures;

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
