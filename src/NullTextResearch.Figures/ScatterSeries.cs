namespace NullTextResearch.Figures;

/// <summary>One group of points in a plane.</summary>
/// <param name="Name">Name in the legend, unique in its chart.</param>
/// <param name="X">Horizontal positions, in the x axis's unit.</param>
/// <param name="Y">Vertical positions, in the y axis's unit, as many as <paramref name="X"/>.</param>
public sealed record ScatterSeries(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y)
{
    /// <summary>A short text next to every point, as many as points; null (default) for none.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Show the labels only below the pointer, for many points (default: false).</summary>
    public bool HoverLabels { get; init; }

    /// <summary>Join the points in the order given (default: false).</summary>
    public bool Connected { get; init; }

    /// <summary>CSS colour such as <c>#0072b2</c>; null (default) takes the next one of the palette.</summary>
    public string? Color { get; init; }
}
