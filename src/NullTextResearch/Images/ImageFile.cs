using System.Runtime.InteropServices;
using SkiaSharp;

namespace NullTextResearch.Images;

/// <summary>Image files in and out: reads PNG, JPEG and WebP, writes PNG.</summary>
/// <remarks>
/// Colours are taken as stored: an embedded colour profile is not applied, as in the released code. Of an animation, the first frame.
/// Memory, beside the file's own bytes: 3 bytes a pixel for what is returned; while PNG and WebP files are decoded, 4 more, and what their
/// decoder takes. A size that the file cannot hold is refused before anything is decoded.
/// </remarks>
public static class ImageFile
{
    private const int BandRows = 64;

    /// <summary>Reads an image file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <param name="options">Limits and transparency; defaults if null.</param>
    /// <returns>The upright image.</returns>
    /// <exception cref="ImageFileException">The file is missing, unreadable, damaged, truncated, too large or of another format.</exception>
    public static RgbImage Load(string path, ImageLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Decode(EncodedImage.ReadFile(path), path, options);
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

    // Rows come in bands where the decoder can do that (JPEG), else the picture as a whole; in either case outside of the managed heap,
    // so that the memory is free again at once. What stays are 3 bytes a pixel.
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

    /// <summary>Where stored pixels belong in the upright picture: the origin names the corner of the stored row 0 and column 0.</summary>
    private readonly record struct Placement
    {
        // Offset of the stored pixel (0, 0), and steps in bytes along a stored row and from row to row.
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

        /// <summary>Puts a stored row to its place, without its alpha.</summary>
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
