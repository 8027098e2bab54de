namespace NullTextResearch.Images;

/// <summary>How an image of any size becomes the size that a model takes: crop by offsets, crop to a square, resize; in that order.</summary>
/// <remarks>
/// Defaults are those of the released null-text code, with two deviations: offsets that leave nothing are an error where that code
/// clamps them silently, and its clamp of the top offset by the left one (a slip) is not repeated.
/// </remarks>
public sealed record ImagePreparation
{
    /// <summary>Pixels cut from the left edge, at least 0. Default 0.</summary>
    public int Left { get; init; }

    /// <summary>Pixels cut from the top edge, at least 0. Default 0.</summary>
    public int Top { get; init; }

    /// <summary>Pixels cut from the right edge, at least 0. Default 0.</summary>
    public int Right { get; init; }

    /// <summary>Pixels cut from the bottom edge, at least 0. Default 0.</summary>
    public int Bottom { get; init; }

    /// <summary>Whether the longer side is then cut to the shorter, keeping the centre. Default true.</summary>
    public bool CentreSquare { get; init; } = true;

    /// <summary>Side in pixels that the result gets (width and height), or null to keep the size after cropping. Default 512.</summary>
    public int? Size { get; init; } = 512;

    /// <summary>Filter of the resize. Default <see cref="ResizeFilter.Bicubic"/>.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bicubic;

    /// <summary>Applies the steps.</summary>
    /// <param name="image">An image of any size.</param>
    /// <returns>The prepared image; the given one if there is nothing to do.</returns>
    /// <exception cref="ArgumentException">An offset is negative, the offsets leave nothing, or the size is below 1.</exception>
    public RgbImage Apply(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (Left < 0 || Top < 0 || Right < 0 || Bottom < 0 || Size < 1)
        {
            throw new ArgumentException($"crop offsets must be 0 or more and the size at least 1, got left {Left}, top {Top}, right {Right}, bottom {Bottom}, size {Size}");
        }

        long width = (long)image.Width - Left - Right, height = (long)image.Height - Top - Bottom;
        if (width < 1 || height < 1)
        {
            throw new ArgumentException(
                $"cropping {Left} left, {Right} right, {Top} top and {Bottom} bottom leaves nothing of an image of {image.Width} x {image.Height} pixels; lower the offsets");
        }

        int x = Left, y = Top;
        if (CentreSquare)
        {
            long side = Math.Min(width, height);
            x += (int)((width - side) / 2);
            y += (int)((height - side) / 2);
            width = height = side;
        }

        RgbImage cropped = Crop(image, x, y, (int)width, (int)height);
        return Size is { } size ? ImageResize.Resize(cropped, size, size, Filter) : cropped;
    }

    private static RgbImage Crop(RgbImage image, int x, int y, int width, int height)
    {
        if (width == image.Width && height == image.Height)
        {
            return image;
        }

        byte[] rgb = new byte[width * height * 3];
        for (int row = 0; row < height; row++)
        {
            image.Rgb.AsSpan((((y + row) * image.Width) + x) * 3, width * 3).CopyTo(rgb.AsSpan(row * width * 3));
        }

        return new RgbImage(width, height, rgb);
    }
}
