namespace NullTextResearch.Figures;

/// <summary>Data and labels of a chart with axes. Immutable; <see cref="Build"/> draws it.</summary>
public abstract record Chart
{
    /// <summary>Title shown above the chart.</summary>
    public required string Title { get; init; }

    /// <summary>Horizontal axis.</summary>
    public required Axis XAxis { get; init; }

    /// <summary>Vertical axis.</summary>
    public required Axis YAxis { get; init; }

    /// <summary>
    /// Height of the plotting area with its axes, in CSS pixels, 200 to 2000 (default 420). The width follows the page; a legend adds to the height.
    /// </summary>
    public int Height { get; init; } = 420;

    /// <summary>Draws the chart.</summary>
    /// <returns>Plotly JSON, an HTML fragment and the data as CSV.</returns>
    /// <exception cref="ArgumentException">The data cannot be drawn; the message lists every problem.</exception>
    public ChartBundle Build()
    {
        List<string> problems = [.. XAxis.Problems("x"), .. YAxis.Problems("y"), .. Problems()];
        if (string.IsNullOrWhiteSpace(Title))
        {
            problems.Insert(0, "it has no title");
        }

        if (Height is < 200 or > 2000)
        {
            problems.Add($"Height is {Height}, expected 200 to 2000 pixels");
        }

        if (problems.Count > 0)
        {
            throw new ArgumentException($"The chart '{Title}' cannot be drawn: {string.Join("; ", problems)}.");
        }

        return new ChartBundle(Title, Height, PlotlyIsland.Json(this), Csv.Write(CsvHeader(), CsvRows()));
    }

    /// <summary>Default colour of the series at an index, for another series that belongs to it.</summary>
    /// <param name="index">0 for the first series.</param>
    public static string ColorOf(int index) => Theme.Color(index);

    internal abstract IEnumerable<string> Problems();

    internal abstract void Draw(PlotlyFigure figure);

    internal virtual IReadOnlyList<string> CsvHeader() => ["series", XAxis.Label, YAxis.Label, "lower", "upper"];

    internal abstract IEnumerable<IReadOnlyList<string?>> CsvRows();

    /// <summary>Checks one pair of bounds against the values they belong to.</summary>
    private protected static IEnumerable<string> BoundProblems(string name, int count, IReadOnlyList<double>? lower, IReadOnlyList<double>? upper)
    {
        if ((lower is null) != (upper is null))
        {
            yield return $"series '{name}' has only one of Lower and Upper; give both or neither";
        }

        if ((lower is not null && lower.Count != count) || (upper is not null && upper.Count != count))
        {
            yield return $"series '{name}' has {count} values but {lower?.Count ?? 0} lower and {upper?.Count ?? 0} upper bounds";
        }
    }

    private protected static IEnumerable<string> NameProblems(IEnumerable<string> names)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (string.IsNullOrWhiteSpace(name))
            {
                yield return "a series has no name";
            }
            else if (!seen.Add(name))
            {
                yield return $"the name '{name}' is used twice; a reader could not tell the series apart";
            }
        }
    }

    private protected static IEnumerable<IReadOnlyList<string?>> LineRows(IEnumerable<ReferenceLine> lines) =>
        lines.Select(line => (IReadOnlyList<string?>)[line.Name, null, Csv.Number(line.Value), null, null]);
}
