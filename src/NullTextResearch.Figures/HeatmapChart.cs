namespace NullTextResearch.Figures;

/// <summary>A table of numbers as coloured cells, first row on top.</summary>
public sealed record HeatmapChart : Chart
{
    /// <summary>Names of the rows.</summary>
    public required IReadOnlyList<string> Rows { get; init; }

    /// <summary>Names of the columns.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>Values, row by row: element <c>row * Columns.Count + column</c>; non-finite values stay empty.</summary>
    public required IReadOnlyList<double> Values { get; init; }

    /// <summary>What the colour shows, with its unit.</summary>
    public required Axis ColorAxis { get; init; }

    /// <summary>Print each value in its cell (default: true).</summary>
    public bool ShowValues { get; init; } = true;

    /// <summary>Digits after the point of printed values, 0 to 6 (default 2).</summary>
    public int Decimals { get; init; } = 2;

    /// <summary>Colours that diverge from white at zero, for signed values (default: false, dark to light).</summary>
    public bool Diverging { get; init; }

    internal override IEnumerable<string> Problems()
    {
        if (Rows.Count == 0 || Columns.Count == 0 || Values.Count != Rows.Count * Columns.Count)
        {
            yield return $"it has {Values.Count} values for {Rows.Count} rows x {Columns.Count} columns";
        }

        if (Rows.Distinct(StringComparer.Ordinal).Count() != Rows.Count || Columns.Distinct(StringComparer.Ordinal).Count() != Columns.Count)
        {
            yield return "two rows or two columns have the same name; their cells would overlap";
        }

        if (Decimals is < 0 or > 6)
        {
            yield return $"Decimals is {Decimals}, expected 0 to 6";
        }

        foreach (string problem in ColorAxis.Problems("colour"))
        {
            yield return problem;
        }
    }

    internal override void Draw(PlotlyFigure figure)
    {
        figure.AddHeatmap(this);
        figure.Set("hovermode", "closest");
    }

    internal override IReadOnlyList<string> CsvHeader() => [YAxis.Label, XAxis.Label, ColorAxis.Label];

    internal override IEnumerable<IReadOnlyList<string?>> CsvRows()
    {
        for (int row = 0; row < Rows.Count; row++)
        {
            for (int column = 0; column < Columns.Count; column++)
            {
                yield return [Rows[row], Columns[column], Csv.Number(Values[(row * Columns.Count) + column])];
            }
        }
    }
}
