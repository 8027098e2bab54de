namespace NullTextResearch.Images;

/// <summary>An image as bytes: 8 bits per channel, red, green, blue, rows from the top, no padding between rows.</summary>
/// <remarks>
/// The interface to other image libraries: <see cref="FromRgb"/> takes their pixels, <see cref="CopyTo"/> returns them. Values are gamma-encoded as in the file
/// (sRGB for almost all images). Treat the array as read-only, because instances are shared.
/// </remarks>
public sealed record RgbImage
{
    /// <summary>Wraps bytes without copying them.</summary>
    /// <param name="Width">Pixels in a row, at least 1.</param>
    /// <param name="Height">Rows, at least 1.</param>
    /// <param name="Rgb">Width x height x 3 bytes.</param>
    /// <exception cref="ArgumentException">The array's length is not width x height x 3.</exception>
    public RgbImage(int Width, int Height, byte[] Rgb)
    {
        ArgumentNullException.ThrowIfNull(Rgb);
        CheckSize(Width, Height, Rgb.Length, nameof(Rgb));
        this.Width = Width;
        this.Height = Height;
        this.Rgb = Rgb;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Number of rows.</summary>
    public int Height { get; }

    /// <summary>Red, green, blue of each pixel, row by row; length width x height x 3.</summary>
    public byte[] Rgb { get; }

    /// <summary>Writes the image as PNG; an existing file is replaced atomically.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void SavePng(string path) => ImageFile.SavePng(this, path);

    /// <summary>Creates an image by copying pixels from memory owned by the caller.</summary>
    /// <param name="rgb">Width x height x 3 bytes, row by row.</param>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <returns>An image with its own bytes.</returns>
    /// <exception cref="ArgumentException">The length is not width x height x 3.</exception>
    public static RgbImage FromRgb(ReadOnlySpan<byte> rgb, int width, int height)
    {
        CheckSize(width, height, rgb.Length, nameof(rgb));
        return new RgbImage(width, height, rgb.ToArray());
    }

    /// <summary>Copies the pixels into memory owned by the caller.</summary>
    /// <param name="rgb">Receives width x height x 3 bytes; may be longer.</param>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public void CopyTo(Span<byte> rgb)
    {
        if (rgb.Length < Rgb.Length)
        {
            throw new ArgumentException($"the image needs {Rgb.Length} bytes ({Width} x {Height} x 3), the destination has {rgb.Length}", nameof(rgb));
        }

        Rgb.CopyTo(rgb);
    }

    /// <summary>Whether two images have the same size and the same bytes.</summary>
    /// <param name="other">The other image.</param>
    /// <returns>True if equal pixel for pixel.</returns>
    public bool Equals(RgbImage? other) => other is not null && Width == other.Width && Height == other.Height && Rgb.AsSpan().SequenceEqual(other.Rgb);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = new HashCode();
        hash.Add(Width);
        hash.Add(Height);
        hash.AddBytes(Rgb);
        return hash.ToHashCode();
    }

    /// <summary>Size only, for messages.</summary>
    /// <returns>For instance "RgbImage 64 x 48".</returns>
    public override string ToString() => $"RgbImage {Width} x {Height}";

    private static void CheckSize(int width, int height, int length, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (length != (long)width * height * 3)
        {
            throw new ArgumentException(
                $"an image of {width} x {height} pixels has {(long)width * height * 3} bytes (red, green, blue, no row padding), got {length}",
                name
            );
        }
    }
}
