using System.Buffers.Binary;
using System.Globalization;

namespace NullTextResearch.Images;

/// <summary>The checks made on an image file before anything is decoded, the same for every decoder.</summary>
internal readonly record struct EncodedImage
{
    private const long MaxFileBytes = 512L << 20;

    // Up to this size a false header costs little, and the decoder's own error says more about the problem.
    private const long CheapPixels = 4_000_000;

    private readonly Format _format;
    private readonly long _bytes;

    private EncodedImage(Format format, long bytes, PngChunks? png) => (_format, _bytes, Png) = (format, bytes, png);

    private enum Format
    {
        Png,
        Jpeg,
        Webp,
    }

    /// <summary>The chunks of a PNG file; null for other formats.</summary>
    public PngChunks? Png { get; }

    /// <summary>Reads the bytes of an image file.</summary>
    /// <exception cref="ImageFileException">The file is missing, is a folder, is too large or cannot be read.</exception>
    public static byte[] ReadFile(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                throw new ImageFileException(path, "this is a folder; give a PNG, JPEG or WebP file");
            }

            FileInfo file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new ImageFileException(path, $"there is no such file (looked for {file.FullName})");
            }

            if (file.Length > MaxFileBytes)
            {
                throw new ImageFileException(path, $"the file has {file.Length >> 20} MB, the limit is {MaxFileBytes >> 20} MB; save a smaller version");
            }

            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not ImageFileException) or NotSupportedException)
        {
            throw new ImageFileException(path, $"cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Recognises the format from the first bytes.</summary>
    /// <param name="encoded">The bytes of a file.</param>
    /// <param name="name">Name to use in error messages.</param>
    /// <exception cref="ImageFileException">The file is empty, or is not a PNG, JPEG or WebP file; the message says what it is.</exception>
    public static EncodedImage Of(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
        {
            throw new ImageFileException(name, "the file is empty; download or export it again");
        }

        if (encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']))
            return new EncodedImage(Format.Png, encoded.Length, PngChunks.Read(encoded));
        if (encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return new EncodedImage(Format.Jpeg, encoded.Length, null);
        if (encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..12].SequenceEqual("WEBP"u8))
            return new EncodedImage(Format.Webp, encoded.Length, null);
        throw new ImageFileException(name, ForeignFile.Describe(encoded, name));
    }

    /// <summary>Whether the file is complete. Decoders that fill in missing rows do not report a truncated file.</summary>
    /// <param name="encoded">The bytes that this instance was created from.</param>
    public bool IsWhole(ReadOnlySpan<byte> encoded) =>
        _format switch
        {
            Format.Png => encoded.LastIndexOf("IEND"u8) >= 0,
            // The end marker must follow the last start-of-scan marker: a preview in the header has its own markers.
            Format.Jpeg => encoded.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) > encoded.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]),
            _ => encoded.Length >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(encoded[4..]) <= encoded.Length - 8L,
        };

    /// <summary>Rejects a size that exceeds the limit or that the file cannot hold.</summary>
    /// <param name="width">Pixels in a row, according to the header.</param>
    /// <param name="height">Rows, according to the header.</param>
    /// <param name="name">Name of the file in error messages.</param>
    /// <param name="options">The limit.</param>
    /// <exception cref="ImageFileException">The size is rejected; the message gives the numbers.</exception>
    public void RequireSize(int width, int height, string name, ImageLoadOptions options)
    {
        long pixels = (long)width * height;
        FormattableString size = $"{width} x {height} = {pixels:N0} pixels";
        if (pixels > options.MaxPixels)
        {
            throw new ImageFileException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it has {FormattableString.Invariant(size)}, the limit is {options.MaxPixels:N0}; nothing was decoded. Scale it down, or raise "
                        + $"{nameof(ImageLoadOptions.MaxPixels)} if you trust the file"
                )
            );
        }

        if (pixels * 3 > Array.MaxLength)
        {
            throw new ImageFileException(
                name,
                FormattableString.Invariant($"its {pixels:N0} pixels do not fit in one array ({Array.MaxLength / 3:N0} pixels); scale it down")
            );
        }

        long most = _format switch
        {
            Format.Png => Png!.Value.MostPixels,
            // Each block of 8 x 8 pixels of the largest channel takes at least one bit.
            Format.Jpeg => _bytes * 8 * 64,
            // The format sets no bound: one flat colour takes about forty bytes at any size, and is not a real picture at this size.
            _ => _bytes * 10_000,
        };
        if (pixels > CheapPixels && pixels > most)
        {
            throw new ImageFileException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it claims {FormattableString.Invariant(size)}, which its {_bytes:N0} bytes cannot "
                        + $"hold{(_format == Format.Webp ? " unless it is one flat colour" : "")}; nothing was decoded. The file is truncated, or crafted "
                        + $"to fill memory: download or export it again"
                )
            );
        }
    }
}
