using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>The result for one position of the sliders.</summary>
/// <param name="Image">The picture.</param>
/// <param name="Measures">Its measures; the same names at every position.</param>
public sealed record ExplorationPoint(RgbImage Image, params IReadOnlyList<Measure> Measures)
{
    /// <summary>Value of each slider.</summary>
    public IReadOnlyList<double> Values { get; internal init; } = [];
}
