namespace NullTextResearch.Figures;

/// <summary>One bar per category, all of one colour.</summary>
/// <param name="Name">Name in the legend, unique in its chart.</param>
/// <param name="Values">Heights in the y axis's unit, one per category; non-finite values leave a gap.</param>
public sealed record BarSeries(string Name, IReadOnlyList<double> Values)
{
    /// <summary>Lower end of the whisker of every bar (y units, absolute), or null.</summary>
    public IReadOnlyList<double>? Lower { get; init; }

    /// <summary>Upper end of the whisker of every bar (y units, absolute), or null.</summary>
    public IReadOnlyList<double>? Upper { get; init; }

    /// <summary>CSS colour such as <c>#0072b2</c>; null (default) takes the next one of the palette.</summary>
    public string? Color { get; init; }
}
