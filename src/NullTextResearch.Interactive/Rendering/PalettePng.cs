using System.Buffers.Binary;
using System.IO.Compression;
using NullTextResearch.Images;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// PNG with a palette: charts have few colours, so a third of the bytes is enough. Notebooks are kept in repositories,
/// so size matters.
/// </summary>
internal static class PalettePng
{
    private const int Colours = 256;

    /// <summary>Encodes a picture with its 256 most common colours; others are mapped to the nearest of them.</summary>
    public static byte[] Encode(RgbImage image)
    {
        Dictionary<int, int> counts = [];
        for (int i = 0; i < image.Rgb.Length; i += 3)
        {
            int colour = Colour(image.Rgb, i);
            counts[colour] = counts.GetValueOrDefault(colour) + 1;
        }

        int[] palette = [.. counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key).Take(Colours).Select(c => c.Key)];
        Dictionary<int, byte> indices = [];
        for (int i = 0; i < palette.Length; i++)
            indices[palette[i]] = (byte)i;

        using MemoryStream rows = new();
        using (ZLibStream zip = new(rows, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            byte[] row = new byte[image.Width + 1];
            for (int y = 0; y < image.Height; y++)
            {
                // The first byte of a row is its filter: 0 (none) is best for palette indices.
                for (int x = 0; x < image.Width; x++)
                {
                    int colour = Colour(image.Rgb, ((y * image.Width) + x) * 3);
                    if (!indices.TryGetValue(colour, out byte index))
                        indices[colour] = index = Nearest(palette, colour);
                    row[x + 1] = index;
                }

                zip.Write(row);
            }
        }

        using MemoryStream png = new();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), image.Height);
        // 8 bits per index, palette colour type.
        (header[8], header[9]) = (8, 3);
        Chunk(png, "IHDR"u8, header);
        Chunk(png, "PLTE"u8, [.. palette.SelectMany(c => (byte[])[(byte)(c >> 16), (byte)(c >> 8), (byte)c])]);
        Chunk(png, "IDAT"u8, rows.ToArray());
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static int Colour(byte[] rgb, int at) => (rgb[at] << 16) | (rgb[at + 1] << 8) | rgb[at + 2];

    private static byte Nearest(int[] palette, int colour)
    {
        int best = 0,
            least = int.MaxValue;
        for (int i = 0; i < palette.Length; i++)
        {
            int r = (palette[i] >> 16) - (colour >> 16),
                g = ((palette[i] >> 8) & 255) - ((colour >> 8) & 255),
                b = (palette[i] & 255) - (colour & 255);
            int distance = (r * r) + (g * g) + (b * b);
            if (distance < least)
                (best, least) = (i, distance);
        }

        return (byte)best;
    }

    private static void Chunk(Stream png, ReadOnlySpan<byte> type, byte[] content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        png.Write(type);
        png.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, ~Crc(content, Crc(type, uint.MaxValue)));
        png.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> bytes, uint crc)
    {
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320u & (uint)-(int)(crc & 1));
        }

        return crc;
    }
}
