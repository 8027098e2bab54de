using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>What one position of the sliders gives.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Measures">Numbers that move with it; the same names at every position.</param>
public sealed record ExplorationPoint(RgbImage Image, params IReadOnlyList<Measure> Measures)
{
    /// <summary>Value of each slider.</summary>
    public IReadOnlyList<double> Values { get; internal init; } = [];
}
