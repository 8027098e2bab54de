namespace NullTextResearch.Images;

/// <summary>How an image of any size is brought to the size that a model takes: crop by offsets, crop to the aspect ratio of that size, then resize.</summary>
/// <remarks>
/// Defaults are those of the released null-text code, with two deviations: offsets that leave nothing are an error, whereas that code clamps them silently; and
/// its bug of clamping the top offset by the left one is not reproduced.
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

    /// <summary>
    /// Whether the image is then cropped around its centre to the aspect ratio of <see cref="Size"/> (a square if that is null). Default true; false stretches
    /// it instead.
    /// </summary>
    public bool CentreCut { get; init; } = true;

    /// <summary>Size of the result (a single number means a square), or null to keep the size after cropping. Default 512 x 512.</summary>
    public PixelSize? Size { get; init; } = 512;

    /// <summary>Filter of the resize. Default <see cref="ResizeFilter.Bicubic"/>.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bicubic;

    /// <summary>The size of an image after cropping by the offsets.</summary>
    /// <param name="image">Size of the image.</param>
    /// <exception cref="ArgumentException">An offset is negative, or the offsets leave nothing.</exception>
    public PixelSize Remaining(PixelSize image)
    {
        if (Left < 0 || Top < 0 || Right < 0 || Bottom < 0)
            throw new ArgumentException($"crop offsets must be 0 or more, got left {Left}, top {Top}, right {Right}, bottom {Bottom}");
        long width = (long)image.Width - Left - Right,
            height = (long)image.Height - Top - Bottom;
        if (width < 1 || height < 1)
            throw new ArgumentException(
                $"cropping {Left} left, {Right} right, {Top} top and {Bottom} bottom leaves nothing of an image of {image} pixels; lower the offsets"
            );
        return new PixelSize((int)width, (int)height);
    }

    /// <summary>Applies the steps with a size that a model takes instead of <see cref="Size"/>.</summary>
    /// <param name="image">An image of any size.</param>
    /// <param name="sizing">How the size is chosen.</param>
    /// <param name="rule">The sizes that the model takes.</param>
    /// <returns>The prepared image; the same instance if there is nothing to do.</returns>
    /// <exception cref="ArgumentException">The offsets are invalid, or the model does not take the size.</exception>
    public RgbImage Apply(RgbImage image, ImageSizing sizing, SizeRule rule)
    {
        ArgumentNullException.ThrowIfNull(image);
        return (this with { Size = sizing.For(Remaining(PixelSize.Of(image)), rule) }).Apply(image);
    }

    /// <summary>Applies the steps.</summary>
    /// <param name="image">An image of any size.</param>
    /// <returns>The prepared image; the same instance if there is nothing to do.</returns>
    /// <exception cref="ArgumentException">An offset is negative, the offsets leave nothing, or the size is below 1.</exception>
    public RgbImage Apply(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (Size is { Width: < 1 } or { Height: < 1 })
            throw new ArgumentException($"the size must be at least 1 x 1, got {Size}");
        PixelSize left = Remaining(PixelSize.Of(image)),
            cut = left;
        int x = Left,
            y = Top;
        if (CentreCut)
        {
            PixelSize shape = Size ?? 1;
            // The largest part with that aspect ratio. Exact integer products decide which side is too long.
            if ((long)left.Width * shape.Height > (long)left.Height * shape.Width)
                cut = left with { Width = (int)Math.Max(1, (long)left.Height * shape.Width / shape.Height) };
            else
                cut = left with { Height = (int)Math.Max(1, (long)left.Width * shape.Height / shape.Width) };
            x += (left.Width - cut.Width) / 2;
            y += (left.Height - cut.Height) / 2;
        }

        RgbImage cropped = Crop(image, x, y, cut.Width, cut.Height);
        return Size is { } size && size != cut ? ImageResize.Resize(cropped, size.Width, size.Height, Filter) : cropped;
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
