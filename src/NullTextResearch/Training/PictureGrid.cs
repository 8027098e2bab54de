using System.Runtime.InteropServices;
using SkiaSharp;

namespace NullTextResearch.Training;

/// <summary>Arranges small pictures side by side in one PNG, for visual checks of a training run.</summary>
internal static class PictureGrid
{
    public static void Save(string path, IReadOnlyList<byte[]> images, int size, int columns, int zoom = 2)
    {
        int rows = (images.Count + columns - 1) / columns,
            pitch = size * zoom + 2;
        using SKBitmap sheet = new(new SKImageInfo(columns * pitch, rows * pitch, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(sheet);
        canvas.Clear(SKColors.White);
        for (int i = 0; i < images.Count; i++)
        {
            byte[] rgba = new byte[size * size * 4];
            for (int p = 0; p < size * size; p++)
            {
                images[i].AsSpan(3 * p, 3).CopyTo(rgba.AsSpan(4 * p));
                rgba[4 * p + 3] = 255;
            }

            using SKBitmap one = new(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Opaque));
            Marshal.Copy(rgba, 0, one.GetPixels(), rgba.Length);
            using SKImage image = SKImage.FromBitmap(one);
            float x = i % columns * pitch,
                y = i / columns * pitch;
            canvas.DrawImage(image, new SKRect(x, y, x + size * zoom, y + size * zoom), new SKSamplingOptions(SKFilterMode.Nearest));
        }

        canvas.Flush();
        using SKData png = sheet.Encode(SKEncodedImageFormat.Png, 100);
        WholeFile.Write(path, png.SaveTo);
    }
}
