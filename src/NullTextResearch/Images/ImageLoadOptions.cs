namespace NullTextResearch.Images;

/// <summary>How an image file is read.</summary>
public sealed record ImageLoadOptions
{
    /// <summary>Default of <see cref="MaxPixels"/>: 64 megapixels, 192 MB as bytes.</summary>
    public const long DefaultMaxPixels = 64_000_000;

    /// <summary>Largest accepted width x height, in pixels, checked against the file's header before anything is decoded. Default 64,000,000.</summary>
    public long MaxPixels { get; init; } = DefaultMaxPixels;

    /// <summary>How transparency is handled. Default: blend onto white.</summary>
    public AlphaHandling Alpha { get; init; } = AlphaHandling.OnWhite;

    /// <summary>Whether the image is turned upright according to its orientation tag. Default true; the released code ignores the tag.</summary>
    public bool HonourOrientation { get; init; } = true;
}

/// <summary>Implements <see cref="AlphaHandling"/> for all decoders.</summary>
internal static class AlphaBlend
{
    /// <summary>Removes the alpha from a stored pixel.</summary>
    /// <param name="handling">How the alpha is handled.</param>
    /// <param name="rgba">Red, green, blue, alpha; not premultiplied.</param>
    /// <param name="rgb">Receives three bytes.</param>
    public static void Blend(this AlphaHandling handling, ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        int background = handling == AlphaHandling.OnWhite ? 255 : 0;
        int alpha = handling == AlphaHandling.Discard ? 255 : rgba[3];
        for (int channel = 0; channel < 3; channel++)
        {
            // Rounded division by 255.
            rgb[channel] = (byte)(((rgba[channel] * alpha) + (background * (255 - alpha)) + 127) / 255);
        }
    }
}
