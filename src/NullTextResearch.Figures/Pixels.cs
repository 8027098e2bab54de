using NullTextResearch.Images;
using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>Converts between raw RGB bytes and SkiaSharp.</summary>
internal static class Pixels
{
    internal static SKBitmap ToBitmap(RgbImage image)
    {
        SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> target = bitmap.GetPixelSpan();
        ReadOnlySpan<byte> source = image.Rgb;
        for (int from = 0, to = 0; from < source.Length; from += 3, to += 4)
        {
            source.Slice(from, 3).CopyTo(target[to..]);
            target[to + 3] = 255;
        }

        return bitmap;
    }

    internal static RgbImage FromBitmap(SKBitmap bitmap)
    {
        byte[] rgb = new byte[bitmap.Width * bitmap.Height * 3];
        ReadOnlySpan<byte> source = bitmap.GetPixelSpan();
        for (int y = 0; y < bitmap.Height; y++)
        {
            ReadOnlySpan<byte> row = source.Slice(y * bitmap.RowBytes, bitmap.Width * 4);
            for (int x = 0; x < bitmap.Width; x++)
            {
                row.Slice(x * 4, 3).CopyTo(rgb.AsSpan(((y * bitmap.Width) + x) * 3));
            }
        }

        return new RgbImage(bitmap.Width, bitmap.Height, rgb);
    }

    internal static byte[] ToPng(SKBitmap bitmap)
    {
        using SKImage image = SKImage.FromBitmap(bitmap);
        using SKData data =
            image.Encode(SKEncodedImageFormat.Png, 100)
            ?? throw new InvalidOperationException($"A picture of {bitmap.Width}x{bitmap.Height} pixels could not be encoded as PNG.");
        return data.ToArray();
    }
}
