using System.Buffers.Binary;
using System.Globalization;

namespace NullTextResearch.Images;

/// <summary>What is known of an image file before anything is decoded: the same checks for every decoder.</summary>
internal readonly record struct EncodedImage
{
    private const long MaxFileBytes = 512L << 20;

    // Up to here a false claim costs little, and the decoder's own words say more of what is wrong.
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

    /// <summary>The bytes of an image file.</summary>
    /// <exception cref="ImageFileException">The file is missing, a folder, too large or cannot be read.</exception>
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

    /// <summary>Recognises the format by its first bytes.</summary>
    /// <param name="encoded">The bytes of a file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="ImageFileException">It is empty, or no PNG, JPEG or WebP file; the message says what it is.</exception>
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

    /// <summary>Whether the file has its end: what a decoder that fills up missing rows does not tell.</summary>
    /// <param name="encoded">The bytes that this was made of.</param>
    public bool IsWhole(ReadOnlySpan<byte> encoded) =>
        _format switch
        {
            Format.Png => encoded.LastIndexOf("IEND"u8) >= 0,
            // The mark of the end, behind the last one that begins a scan: a preview in the header has marks of its own.
            Format.Jpeg => encoded.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xD9]) > encoded.LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xDA]),
            _ => encoded.Length >= 8 && BinaryPrimitives.ReadUInt32LittleEndian(encoded[4..]) <= encoded.Length - 8L,
        };

    /// <summary>Refuses a size that is over the limit, or that the file cannot hold.</summary>
    /// <param name="width">Pixels in a row, as the header says.</param>
    /// <param name="height">Rows, as the header says.</param>
    /// <param name="name">What to call the file in errors.</param>
    /// <param name="options">The limit.</param>
    /// <exception cref="ImageFileException">It is refused; the message has the numbers.</exception>
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
                FormattableString.Invariant($"its {pixels:N0} pixels do not fit one array ({Array.MaxLength / 3:N0} pixels); scale it down")
            );
        }

        long most = _format switch
        {
            Format.Png => Png!.Value.MostPixels,
            // A block of 8 x 8 pixels takes a bit of each picture's largest channel at least.
            Format.Jpeg => _bytes * 8 * 64,
            // The format sets no bound: one flat colour takes some forty bytes at any size, and is no picture at this size.
            _ => _bytes * 10_000,
        };
        if (pixels > CheapPixels && pixels > most)
        {
            throw new ImageFileException(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"it claims {FormattableString.Invariant(size)}, which its {_bytes:N0} bytes cannot "
                        + $"hold{(_format == Format.Webp ? " unless it is one flat colour" : "")}; nothing was decoded. The file is cut off, or made to "
                        + $"fill memory: download or export it again"
                )
            );
        }
    }
}
