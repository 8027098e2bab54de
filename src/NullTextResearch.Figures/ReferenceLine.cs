namespace NullTextResearch.Figures;

/// <summary>A line that crosses the whole chart at one value: a bound, a baseline, a theoretical optimum.</summary>
/// <param name="Name">Name in the legend.</param>
/// <param name="Value">Position in data units.</param>
public sealed record ReferenceLine(string Name, double Value)
{
    /// <summary>CSS colour such as <c>#4d4d4d</c>; null (default) takes the next neutral tone.</summary>
    public string? Color { get; init; }
}
