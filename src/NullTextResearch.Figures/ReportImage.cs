using System.Buffers.Binary;

namespace NullTextResearch.Figures;

/// <summary>A picture of a report, embedded into its page.</summary>
/// <param name="Png">The bytes of a PNG file.</param>
/// <param name="AltText">What the picture shows, for those who cannot see it.</param>
public sealed record ReportImage(byte[] Png, string AltText)
{
    /// <summary>Text below the picture, or null (default).</summary>
    public string? Caption { get; init; }

    /// <summary>Width and height from the file's header.</summary>
    /// <exception cref="ArgumentException">The bytes are not a PNG file.</exception>
    internal (int Width, int Height) Size()
    {
        ReadOnlySpan<byte> signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
        if (Png.Length < 24 || !Png.AsSpan(0, 8).SequenceEqual(signature))
        {
            throw new ArgumentException(
                $"The picture '{AltText}' is not a PNG file ({Png.Length} bytes); pass the bytes that {nameof(ImageGrid)}.{nameof(ImageGrid.ToPng)} returns."
            );
        }

        return (BinaryPrimitives.ReadInt32BigEndian(Png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(Png.AsSpan(20)));
    }
}
