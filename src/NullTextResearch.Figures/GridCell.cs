using NullTextResearch.Images;

namespace NullTextResearch.Figures;

/// <summary>One picture of a grid.</summary>
/// <param name="Image">The picture; small ones are enlarged by a whole factor so that their pixels stay crisp.</param>
public sealed record GridCell(RgbImage Image)
{
    /// <summary>Text beneath the picture, wrapped to its width; null (default) for none.</summary>
    public string? Label { get; init; }

    /// <summary>Draw a coloured frame around the picture: the result the figure is about (default: false).</summary>
    public bool Highlight { get; init; }
}
