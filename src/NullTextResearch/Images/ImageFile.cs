using System.Runtime.InteropServices;
using SkiaSharp;

namespace NullTextResearch.Images;

/// <summary>Reads PNG, JPEG and WebP files and writes PNG files.</summary>
/// <remarks>
/// Colours are used as stored: as in the released code, an embedded colour profile is not applied. For an animation, the first frame is read. Memory use, in
/// addition to the file's own bytes, is 3 bytes per pixel for the result; decoding PNG and WebP takes another 4 bytes per pixel plus the decoder's own memory.
/// A size that the file cannot hold is rejected before anything is decoded.
/// </remarks>
public static class ImageFile
{
    private const int BandRows = 64;

    /// <summary>Reads an image file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <param name="options">Limits and transparency; null for the defaults.</param>
    /// <returns>The upright image.</returns>
    /// <exception cref="ImageFileException">The file is missing, unreadable, damaged, truncated, too large or of another format.</exception>
    public static RgbImage Load(string path, ImageLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Decode(EncodedImage.ReadFile(path), path, options);
    }

    /// <summary>Reads an image from the bytes of a file.</summary>
    /// <param name="encoded">A whole PNG, JPEG or WebP file.</param>
    /// <param name="name">Name to use in error messages.</param>
    /// <param name="options">Limits and transparency; null for the defaults.</param>
    /// <returns>The upright image.</returns>
    /// <exception cref="ImageFileException">The bytes are damaged, truncated or of another format, or the image is too large.</exception>
    public static RgbImage Decode(ReadOnlySpan<byte> encoded, string name = "(memory)", ImageLoadOptions? options = null)
    {
        options ??= new ImageLoadOptions();
        EncodedImage file = EncodedImage.Of(encoded, name);
        unsafe
        {
            fixed (byte* bytes = encoded)
            {
                using SKData data = SKData.Create((IntPtr)bytes, encoded.Length);
                using SKCodec? codec = SKCodec.Create(data);
                if (codec is null)
                {
                    throw new ImageFileException(name, "the header is damaged or cut off; download or export the file again");
                }

                file.RequireSize(codec.Info.Width, codec.Info.Height, name, options);
                SKEncodedOrigin origin =
                    !options.HonourOrientation ? SKEncodedOrigin.TopLeft
                    : file.Png is { } chunks ? (SKEncodedOrigin)chunks.Orientation
                    : codec.EncodedOrigin;
                return Decode(codec, name, new Placement(codec.Info.Width, codec.Info.Height, origin), options.Alpha);
            }
        }
    }

    // Decodes in bands of rows if the decoder can (JPEG), otherwise the whole picture at once. The buffer is outside the managed heap, so it is freed
    // immediately. Only 3 bytes per pixel remain.
    private static unsafe RgbImage Decode(SKCodec codec, string name, Placement place, AlphaHandling alpha)
    {
        // Without a target colour space the codec leaves the numbers alone.
        SKImageInfo info = new(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        bool inBands = codec.StartScanlineDecode(info) == SKCodecResult.Success && codec.ScanlineOrder == SKCodecScanlineOrder.TopDown;
        int band = inBands ? Math.Min(BandRows, info.Height) : info.Height;
        byte[] rgb = new byte[place.Bytes];
        byte* rows = (byte*)NativeMemory.Alloc((nuint)info.RowBytes * (nuint)band);
        try
        {
            for (int first = 0; first < info.Height; first += band)
            {
                int count = Math.Min(band, info.Height - first);
                SKCodecResult result =
                    !inBands ? codec.GetPixels(info, (IntPtr)rows)
                    : codec.GetScanlines((IntPtr)rows, count, info.RowBytes) == count ? SKCodecResult.Success
                    : SKCodecResult.IncompleteInput;
                if (result != SKCodecResult.Success)
                {
                    string problem = result == SKCodecResult.IncompleteInput ? "the file ends too early (truncated)" : $"the data is damaged ({result})";
                    throw new ImageFileException(name, $"{problem}; download or export it again");
                }

                for (int row = 0; row < count; row++)
                {
                    place.Put(new ReadOnlySpan<byte>(rows + ((nint)row * info.RowBytes), info.RowBytes), first + row, rgb, alpha);
                }
            }
        }
        finally
        {
            NativeMemory.Free(rows);
        }

        return new RgbImage(place.Width, place.Height, rgb);
    }

    /// <summary>Writes an image as PNG. An existing file is replaced only once the new one is complete.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">The file to write; its folder is created if missing.</param>
    /// <exception cref="IOException">The disk is full or the path cannot be written; an existing file stays intact.</exception>
    public static void SavePng(RgbImage image, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        WholeFile.Write(path, EncodePng(image));
    }

    /// <summary>Encodes an image as PNG: 8 bits per channel, no alpha. The same pixels always give the same bytes.</summary>
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
            using SKPixmap pixmap = new SKPixmap(
                new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque),
                pinned.AddrOfPinnedObject()
            );
            using SKData? data = pixmap.Encode(SKPngEncoderOptions.Default);
            return data?.ToArray() ?? throw new InvalidOperationException($"the PNG encoder failed on {image}");
        }
        finally
        {
            pinned.Free();
        }
    }

    /// <summary>Maps stored pixels to the upright picture. The origin is the corner where the stored row 0 and column 0 belong.</summary>
    private readonly record struct Placement
    {
        // Byte offset of the stored pixel (0, 0), and byte steps along a stored row and from one row to the next.
        private readonly int _start,
            _alongRow,
            _toNextRow;

        public Placement(int width, int height, SKEncodedOrigin origin)
        {
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
            (Width, Height) = swap ? (height, width) : (width, height);
            int column = mirrorX ? -3 : 3,
                row = (mirrorY ? -3 : 3) * Width;
            _start = ((mirrorX ? Width - 1 : 0) + ((mirrorY ? Height - 1 : 0) * Width)) * 3;
            (_alongRow, _toNextRow) = swap ? (row, column) : (column, row);
        }

        public int Width { get; }

        public int Height { get; }

        public int Bytes => Width * Height * 3;

        /// <summary>Writes a stored row to its place, with the alpha removed.</summary>
        public void Put(ReadOnlySpan<byte> rgba, int row, byte[] rgb, AlphaHandling handling)
        {
            int to = _start + (row * _toNextRow);
            for (int from = 0; from < rgba.Length; from += 4, to += _alongRow)
            {
                handling.Blend(rgba.Slice(from, 4), rgb.AsSpan(to, 3));
            }
        }
    }
}
