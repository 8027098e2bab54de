using NullTextResearch.Images;
using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>A drawn grid.</summary>
/// <param name="Picture">The whole grid.</param>
/// <param name="Places">For every row, the position of each cell's picture; null for an empty cell.</param>
public sealed record GridPicture(RgbImage Picture, IReadOnlyList<IReadOnlyList<CellPlace?>> Places)
{
    /// <summary>The picture as PNG.</summary>
    /// <returns>The bytes of a PNG file.</returns>
    public byte[] ToPng()
    {
        using SKBitmap bitmap = Pixels.ToBitmap(Picture);
        return Pixels.ToPng(bitmap);
    }
}
