using System.Buffers.Binary;

namespace NullTextResearch.Images;

/// <summary>What the decoder library does not report about a PNG file: its orientation, and how much its data can hold.</summary>
internal readonly record struct PngChunks
{
    private const int SignatureLength = 8,
        HeaderLength = 8,
        CheckLength = 4;

    // The best ratio of Deflate: 258 bytes for one bit of length and one bit of distance.
    private const long BestRatio = 1032;

    /// <summary>The orientation in the <c>eXIf</c> chunk, 1 to 8; 1 if there is none.</summary>
    public required int Orientation { get; init; }

    /// <summary>Number of compressed bytes of image data.</summary>
    public required long DataBytes { get; init; }

    /// <summary>Stored bits per pixel; 0 if the header does not say.</summary>
    public required int BitsPerPixel { get; init; }

    /// <summary>The largest number of pixels that the data can hold.</summary>
    public long MostPixels => BitsPerPixel == 0 ? long.MaxValue : DataBytes * BestRatio * 8 / BitsPerPixel;

    /// <summary>Walks the chunks; truncated or damaged data is left for the decoder to reject.</summary>
    /// <param name="file">A whole PNG file.</param>
    /// <remarks>The standard allows <c>eXIf</c> anywhere between the header and the end, including after the data.</remarks>
    public static PngChunks Read(ReadOnlySpan<byte> file)
    {
        int orientation = 0,
            bits = 0;
        long data = 0;
        for (int at = SignatureLength; file.Length - at >= HeaderLength; )
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            ReadOnlySpan<byte> type = file.Slice(at + 4, 4);
            int here = (int)Math.Min(length, (uint)(file.Length - at - HeaderLength));
            ReadOnlySpan<byte> content = file.Slice(at + HeaderLength, here);
            if (type.SequenceEqual("IHDR"u8) && here >= 13)
                bits = content[8] * Channels(content[9]);
            else if (type.SequenceEqual("IDAT"u8))
                data += here;
            else if (type.SequenceEqual("eXIf"u8) && orientation == 0)
                orientation = ExifOrientation(content);
            else if (type.SequenceEqual("IEND"u8))
                break;
            if (length > (uint)(file.Length - at - HeaderLength))
                break;
            // A checksum, verified by the decoder, follows the content.
            at = Math.Min(file.Length, at + HeaderLength + here + CheckLength);
        }

        return new PngChunks
        {
            Orientation = Math.Max(1, orientation),
            DataBytes = data,
            BitsPerPixel = bits,
        };
    }

    private static int Channels(byte colourType) =>
        colourType switch
        {
            0 or 3 => 1,
            4 => 2,
            2 => 3,
            6 => 4,
            _ => 0,
        };

    // Reads a TIFF header in either byte order, then entry 0x0112 of its first directory.
    private static int ExifOrientation(ReadOnlySpan<byte> exif)
    {
        const int Entry = 12,
            Tag = 0x0112,
            Short = 3,
            Long = 4;
        // Some writers keep the prefix used in JPEG files.
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif[6..];
        bool big = exif.StartsWith("MM"u8);
        if (exif.Length < 8 || !(big || exif.StartsWith("II"u8)) || Number(exif, 2, 2) != 42)
            return 1;
        uint directory = Number(exif, 4, 4);
        if (directory > exif.Length - 2)
            return 1;
        ReadOnlySpan<byte> entries = exif[(int)directory..];
        uint count = Number(entries, 0, 2);
        for (int i = 0, at = 2; i < count && entries.Length - at >= Entry; i++, at += Entry)
        {
            if (Number(entries, at, 2) != Tag)
                continue;
            uint value = Number(entries, at + 2, 2) switch
            {
                Short => Number(entries, at + 8, 2),
                Long => Number(entries, at + 8, 4),
                _ => 1,
            };
            return value is >= 1 and <= 8 ? (int)value : 1;
        }

        return 1;

        uint Number(ReadOnlySpan<byte> bytes, int at, int size) =>
            (size, big) switch
            {
                (2, true) => BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]),
                (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]),
                (_, true) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]),
                _ => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]),
            };
    }
}
