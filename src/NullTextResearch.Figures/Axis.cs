namespace NullTextResearch.Figures;

/// <summary>One axis of a chart: what it shows and in which unit.</summary>
/// <param name="Quantity">What is measured, for example <c>PSNR</c>.</param>
/// <param name="Unit">Unit of the values, for example <c>dB</c>; null for a pure number.</param>
public sealed record Axis(string Quantity, string? Unit = null)
{
    /// <summary>Linear (default) or logarithmic.</summary>
    public AxisScale Scale { get; init; } = AxisScale.Linear;

    /// <summary>Lower end in data units; null (default) fits the data.</summary>
    public double? Minimum { get; init; }

    /// <summary>Upper end in data units; null (default) fits the data.</summary>
    public double? Maximum { get; init; }

    /// <summary>Tick positions in data units; null (default) lets the chart choose.</summary>
    public IReadOnlyList<double>? Ticks { get; init; }

    /// <summary>Quantity and unit as printed: <c>PSNR [dB]</c>.</summary>
    public string Label => string.IsNullOrEmpty(Unit) ? Quantity : $"{Quantity} [{Unit}]";

    internal IEnumerable<string> Problems(string which)
    {
        if (string.IsNullOrWhiteSpace(Quantity))
        {
            yield return $"the {which} axis has no name; say what is measured";
        }

        if (Scale == AxisScale.Log && (Minimum <= 0 || Maximum <= 0))
        {
            yield return $"the {which} axis is logarithmic but its range reaches 0 or below; give a positive Minimum and Maximum or none";
        }

        if (Minimum is { } low && Maximum is { } high && !(low < high))
        {
            yield return $"the {which} axis runs from {Csv.Number(low)} to {Csv.Number(high)}; Minimum must be below Maximum";
        }
    }
}
