using System.Runtime.InteropServices;
using SkiaSharp;

namespace NullTextResearch.Images;

/// <summary>Image files in and out: reads PNG, JPEG and WebP, writes PNG.</summary>
/// <remarks>Colours are taken as stored: an embedded colour profile is not applied, as in the released code. Of an animation, the first frame.</remarks>
public static class ImageFile
{
    private const long MaxFileBytes = 512L << 20;

    /// <summary>Reads an image file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <param name="options">Limits and transparency; defaults if null.</param>
    /// <returns>The upright image.</returns>
    /// <exception cref="ImageFileException">The file is missing, unreadable, damaged, truncated, too large or of another format.</exception>
    public static RgbImage Load(string path, ImageLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] bytes;
        try
        {
            if (Directory.Exists(path))
            {
                throw new ImageFileException(path, "this is a folder; give a PNG, JPEG or WebP file");
            }

            var file = new FileInfo(path);
            if (!file.Exists)
            {
                throw new ImageFileException(path, $"there is no such file (looked for {file.FullName})");
            }

            if (file.Length > MaxFileBytes)
            {
                throw new ImageFileException(path, $"the file has {file.Length >> 20} MB, the limit is {MaxFileBytes >> 20} MB; save a smaller version");
            }

            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or (IOException and not ImageFileException) or NotSupportedException)
        {
            throw new ImageFileException(path, $"cannot be read ({e.Message})", e);
        }

        return Decode(bytes, path, options);
    }

    /// <summary>Reads an image from the bytes of a file.</summary>
    /// <param name="encoded">A whole PNG, JPEG or WebP file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="options">Limits and transparency; defaults if null.</param>
    /// <returns>The upright image.</returns>
    /// <exception cref="ImageFileException">The bytes are damaged, truncated, of too large an image or of another format.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded, string name = "(memory)", ImageLoadOptions? options = null)
    {
        options ??= new ImageLoadOptions();
        CheckFormat(encoded, name);
        using SKData data = SKData.CreateCopy(encoded);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
        {
            throw new ImageFileException(name, "the header is damaged or cut off; download or export the file again");
        }

        SKImageInfo header = codec.Info;
        long pixels = (long)header.Width * header.Height;
        if (pixels > options.MaxPixels)
        {
            throw new ImageFileException(
                name,
                $"it has {header.Width} x {header.Height} = {pixels:N0} pixels, the limit is {options.MaxPixels:N0}; nothing was decoded. Scale it down, or raise {nameof(ImageLoadOptions.MaxPixels)} if you trust the file");
        }

        if (pixels * 4 > Array.MaxLength)
        {
            throw new ImageFileException(name, $"its {pixels:N0} pixels do not fit one array ({Array.MaxLength / 4:N0} pixels); scale it down");
        }

        // Without a target colour space the codec leaves the numbers alone.
        var info = new SKImageInfo(header.Width, header.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        byte[] rgba = new byte[pixels * 4];
        GCHandle pinned = GCHandle.Alloc(rgba, GCHandleType.Pinned);
        try
        {
            SKCodecResult result = codec.GetPixels(info, pinned.AddrOfPinnedObject());
            if (result != SKCodecResult.Success)
            {
                string problem = result == SKCodecResult.IncompleteInput ? "the file ends too early (truncated)" : $"the data is damaged ({result})";
                throw new ImageFileException(name, $"{problem}; download or export it again");
            }
        }
        finally
        {
            pinned.Free();
        }

        RgbImage image = DropAlpha(rgba, header.Width, header.Height, options.Alpha);
        return options.HonourOrientation ? Upright(image, codec.EncodedOrigin) : image;
    }

    /// <summary>Writes an image as PNG. An existing file is replaced only once the new one is complete.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">The file to write; its folder is made where missing.</param>
    /// <exception cref="IOException">The disk is full or the place cannot be written; an earlier file is intact.</exception>
    public static void SavePng(RgbImage image, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WholeFile.Write(path, EncodePng(image));
    }

    /// <summary>Encodes an image as PNG: 8 bits a channel, no alpha, the same bytes for the same pixels.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The bytes of a PNG file.</returns>
    public static byte[] EncodePng(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] rgba = new byte[image.Width * image.Height * 4];
        for (int from = 0, to = 0; from < image.Rgb.Length; from += 3, to += 4)
        {
            rgba[to] = image.Rgb[from];
            rgba[to + 1] = image.Rgb[from + 1];
            rgba[to + 2] = image.Rgb[from + 2];
            rgba[to + 3] = 255;
        }

        GCHandle pinned = GCHandle.Alloc(rgba, GCHandleType.Pinned);
        try
        {
            using var pixmap = new SKPixmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), pinned.AddrOfPinnedObject());
            using SKData? data = pixmap.Encode(SKPngEncoderOptions.Default);
            return data?.ToArray() ?? throw new InvalidOperationException($"the PNG encoder failed on {image}");
        }
        finally
        {
            pinned.Free();
        }
    }

    private static void CheckFormat(ReadOnlySpan<byte> encoded, string name)
    {
        if (encoded.IsEmpty)
        {
            throw new ImageFileException(name, "the file is empty");
        }

        bool png = encoded.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G']);
        bool jpeg = encoded.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]);
        bool webp = encoded.Length >= 12 && encoded.StartsWith("RIFF"u8) && encoded[8..12].SequenceEqual("WEBP"u8);
        if (!png && !jpeg && !webp)
        {
            string start = Convert.ToHexString(encoded[..Math.Min(8, encoded.Length)]);
            throw new ImageFileException(name, $"not a PNG, JPEG or WebP image (it starts with the bytes {start}); convert it to one of these");
        }
    }

    private static RgbImage DropAlpha(byte[] rgba, int width, int height, AlphaHandling handling)
    {
        byte[] rgb = new byte[width * height * 3];
        int background = handling == AlphaHandling.OnWhite ? 255 : 0;
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            int alpha = handling == AlphaHandling.Discard ? 255 : rgba[from + 3];
            for (int channel = 0; channel < 3; channel++)
            {
                // Rounded division by 255.
                rgb[to + channel] = (byte)(((rgba[from + channel] * alpha) + (background * (255 - alpha)) + 127) / 255);
            }
        }

        return new RgbImage(width, height, rgb);
    }

    private static RgbImage Upright(RgbImage image, SKEncodedOrigin origin)
    {
        // The origin names the corner where row 0 and column 0 of the stored image belong.
        (bool swap, bool mirrorX, bool mirrorY) = origin switch
        {
            SKEncodedOrigin.TopRight => (false, true, false),
            SKEncodedOrigin.BottomRight => (false, true, true),
            SKEncodedOrigin.BottomLeft => (false, false, true),
            SKEncodedOrigin.LeftTop => (true, false, false),
            SKEncodedOrigin.RightTop => (true, true, false),
            SKEncodedOrigin.RightBottom => (true, true, true),
            SKEncodedOrigin.LeftBottom => (true, false, true),
            _ => (false, false, false),
        };
        if (!swap && !mirrorX && !mirrorY)
        {
            return image;
        }

        (int width, int height) = swap ? (image.Height, image.Width) : (image.Width, image.Height);
        byte[] rgb = new byte[image.Rgb.Length];
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                (int column, int row) = swap ? (y, x) : (x, y);
                column = mirrorX ? width - 1 - column : column;
                row = mirrorY ? height - 1 - row : row;
                image.Rgb.AsSpan(((y * image.Width) + x) * 3, 3).CopyTo(rgb.AsSpan(((row * width) + column) * 3, 3));
            }
        }

        return new RgbImage(width, height, rgb);
    }
}
