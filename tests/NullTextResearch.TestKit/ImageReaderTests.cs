using System.Buffers.Binary;
using NullTextResearch.Images;
using SkiaSharp;
using Xunit;

namespace NullTextResearch.TestKit;

/// <summary>What every reader of image files does, tested on the same files.</summary>
public abstract class ImageReaderTests : IDisposable
{
    /// <summary>A folder for the files of one test.</summary>
    protected string Folder { get; } = Directory.CreateTempSubdirectory("ntr-image-").FullName;

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The reader under test, of a file.</summary>
    protected abstract RgbImage Load(string path, ImageLoadOptions? options = null);

    /// <summary>The reader under test, of bytes.</summary>
    protected abstract RgbImage Decode(byte[] bytes, string name = "(memory)", ImageLoadOptions? options = null);

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg, 6)]
    [InlineData(SKEncodedImageFormat.Webp, 6)]
    [InlineData(SKEncodedImageFormat.Png, 0)]
    public void Load_EachFormat_GivesThePixels(SKEncodedImageFormat format, int tolerance)
    {
        RgbImage image = Gradient(48, 32);

        // The content decides, not the name.
        string path = Write("picture.bin", Encode(image, format));
        RgbImage loaded = Load(path);

        Assert.Equal((48, 32), (loaded.Width, loaded.Height));
        Assert.True(image.Rgb.Zip(loaded.Rgb, (a, b) => Math.Abs(a - b)).Max() <= tolerance);
    }

    [Theory]
    [InlineData(AlphaHandling.OnWhite, 226, 155)] // (181 x 100 + 255 x 155) / 255 and 255 x 155 / 255
    [InlineData(AlphaHandling.OnBlack, 71, 0)]
    [InlineData(AlphaHandling.Discard, 181, 0)]
    public void Load_Transparency_IsHandledAsAsked(AlphaHandling alpha, byte red, byte green)
    {
        string path = Write("alpha.png", EncodeRgba([181, 0, 0, 100], 1, 1));
        Assert.Equal([red, green, green], Load(path, new ImageLoadOptions { Alpha = alpha }).Rgb);
    }

    [Theory]
    [InlineData(1, "RG/BK")]
    [InlineData(2, "GR/KB")]
    [InlineData(3, "KB/GR")]
    [InlineData(4, "BK/RG")]
    [InlineData(5, "RB/GK")]
    [InlineData(6, "BR/KG")]
    [InlineData(7, "KG/BR")]
    [InlineData(8, "GK/RB")]
    public void Load_ExifOrientation_TurnsTheImageUpright(int orientation, string corners)
    {
        // Red, green / blue, black blocks as stored; 48 x 32, so that turning changes the size.
        RgbImage stored = Blocks(48, 32);
        string path = Write("turned.jpg", WithOrientation(Encode(stored, SKEncodedImageFormat.Jpeg), orientation));

        RgbImage upright = Load(path);
        RgbImage raw = Load(path, new ImageLoadOptions { HonourOrientation = false });

        Assert.Equal(orientation >= 5 ? (32, 48) : (48, 32), (upright.Width, upright.Height));
        Assert.Equal(corners, Corners(upright));
        Assert.Equal("RG/BK", Corners(raw));
    }

    [Theory]
    [InlineData(1, "RG/BK")]
    [InlineData(2, "GR/KB")]
    [InlineData(3, "KB/GR")]
    [InlineData(4, "BK/RG")]
    [InlineData(5, "RB/GK")]
    [InlineData(6, "BR/KG")]
    [InlineData(7, "KG/BR")]
    [InlineData(8, "GK/RB")]
    public void Load_OrientationOfPngAndWebp_TurnsTheImageUpright(int orientation, string corners)
    {
        byte[] png = Encode(Blocks(48, 32), SKEncodedImageFormat.Png),
            webp = Encode(Blocks(48, 32), SKEncodedImageFormat.Webp);
        foreach (bool big in (bool[])[true, false])
        {
            byte[] exif = Exif(orientation, big);
            (string Name, byte[] Bytes)[] files =
            [
                ("before the data", WithChunk(png, "eXIf", exif, before: "IDAT")),
                // The standard lets it stand anywhere.
                ("behind the data", WithChunk(png, "eXIf", exif, before: "IEND")),
                ("with the prefix of JPEG files", WithChunk(png, "eXIf", [.. "Exif\0\0"u8, .. exif], before: "IDAT")),
                ("WebP", WebpWithExif(webp, 48, 32, exif)),
            ];
            foreach ((string name, byte[] bytes) in files)
            {
                RgbImage upright = Decode(bytes, name);
                Assert.Equal((name, orientation >= 5 ? 32 : 48, corners), (name, upright.Width, Corners(upright)));
                Assert.Equal((name, "RG/BK"), (name, Corners(Decode(bytes, name, new ImageLoadOptions { HonourOrientation = false }))));
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("4D4D")]
    [InlineData("4D4D002A000000FF")] // The directory lies behind the end.
    [InlineData("4D4D002A00000008FFFF")] // Entries that are not there.
    [InlineData("4D4D002A000000080001011200030000000100090000")] // No such orientation.
    [InlineData("49492A00080000000100120102000000010000000600")] // Text in place of a number.
    public void Load_PngWithDamagedOrientation_IsTakenAsItStands(string exif) =>
        Assert.Equal(
            "RG/BK",
            Corners(Decode(WithChunk(Encode(Blocks(48, 32), SKEncodedImageFormat.Png), "eXIf", Convert.FromHexString(exif), before: "IDAT")))
        );

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        string path = Path.Combine(Folder, "nowhere.png");
        ImageFileException error = Assert.Throws<ImageFileException>(() => Load(path));
        Assert.Equal(path, error.ImagePath);
        Assert.Contains("no such file", error.Message);
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void Load_Folder_SaysSo() => Assert.Contains("folder", Assert.Throws<ImageFileException>(() => Load(Folder)).Message);

    [Fact]
    public void Load_EmptyFile_SaysSo() => Assert.Contains("empty", Assert.Throws<ImageFileException>(() => Load(Write("e.png", []))).Message);

    /// <summary>Beginnings of real files, as Latin-1.</summary>
    [Theory]
    [InlineData("GIF89a...........", "a GIF picture", "magick")]
    [InlineData("BM", "a BMP picture", "magick")]
    [InlineData("hello, I am a text file", "a text file that begins with \"hello, I am a text file\"", "Pass a picture")]
    [InlineData("\0\0\0\u0018ftypheic\0\0\0\0mif1heic", "a HEIC picture", "magick x.png picture.png")]
    [InlineData("\0\0\0\u0018ftypmif1\0\0\0\0mif1heic", "a HEIC picture", "heif-convert")]
    [InlineData("\0\0\0\u001Cftypavif\0\0\0\0avifmif1miaf", "an AVIF picture", "magick")]
    [InlineData("\0\0\0\u0018ftypmp42\0\0\0\0isommp42", "a video", "ffmpeg")]
    [InlineData("\0\0\0\u0018ftypcrx \0\0\0\u0001crx isom", "a camera raw file", "camera")]
    [InlineData("\0\0\0\fJXL \r\n\u0087\n", "a JPEG XL picture", "magick")]
    [InlineData("\u00FF\n\u00FA\u001F", "a JPEG XL picture", "magick")]
    [InlineData("\0\0\0\fjP  \r\n\u0087\n", "a JPEG 2000 picture", "magick")]
    [InlineData("II*\0\b\0\0\0", "a TIFF picture", "magick")]
    [InlineData("MM\0*\0\0\0\b", "a TIFF picture", "magick")]
    [InlineData("%PDF-1.7\n", "a PDF document", "pdftoppm")]
    [InlineData("P6\n2 2\n255\n", "a portable pixmap", "magick")]
    [InlineData("PK\u0003\u0004", "a ZIP archive", "Unpack")]
    [InlineData("<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG drawing", "rsvg-convert")]
    [InlineData("<!DOCTYPE html><html>", "a web page (HTML)", "browser")]
    [InlineData("\n  <html lang=\"en\">", "a web page (HTML)", "browser")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:aaaa\nsize 12345\n", "a Git LFS pointer", "git lfs pull")]
    [InlineData("\0\0\0\0\0\0\0\0\0", "nothing but zeros", "again")]
    [InlineData("\u0089PGN\n", "a PNG picture whose first bytes are damaged", "again")]
    [InlineData("\u0001\u0002\u009B\u001B]0;", "data in an unknown format", "viewer")]
    public void Load_OtherFormat_NamesItAndSaysWhatToDo(string content, string what, string advice)
    {
        string path = Write("x.png", System.Text.Encoding.Latin1.GetBytes(content));
        string message = Assert.Throws<ImageFileException>(() => Load(path)).Message;
        Assert.Contains(what, message);
        Assert.Contains(advice, message);
        Assert.Contains("PNG, JPEG and WebP", message);
        Assert.DoesNotMatch("[0-9A-F]{8}|\\{", message);
    }

    /// <summary>Any bytes are named in words, and in text that a person can read.</summary>
    [Fact]
    public void Load_RandomBytes_NeverShowsThem()
    {
        Random random = new(3);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(1, 40)];
            random.NextBytes(bytes);
            string message = Assert.Throws<ImageFileException>(() => Decode(bytes, "x")).Message;
            Assert.DoesNotMatch("[0-9A-F]{8}", message);
        }
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Load_TruncatedAnywhere_Throws(SKEncodedImageFormat format)
    {
        byte[] whole = Encode(Noise(64, 64), format);
        foreach (double share in new[] { 0.02, 0.2, 0.5, 0.9 })
        {
            byte[] cut = whole[..(int)(whole.Length * share)];
            ImageFileException error = Assert.Throws<ImageFileException>(() => Decode(cut, "cut"));
            Assert.Contains("'cut'", error.Message);
        }
    }

    [Fact]
    public void Load_DamagedPng_Throws()
    {
        byte[] bytes = Encode(Noise(64, 64), SKEncodedImageFormat.Png);
        bytes.AsSpan(bytes.Length / 2, 64).Fill(0xA5);
        Assert.Throws<ImageFileException>(() => Decode(bytes));
    }

    [Fact]
    public void Load_ImageBomb_IsRefusedFromTheHeader()
    {
        // 60,000 x 60,000 pixels promised in the header and hardly any data behind it.
        byte[] bomb = EncodeRgba(new byte[4], 1, 1);
        BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(16), 60_000);
        BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(20), 60_000);
        BinaryPrimitives.WriteUInt32BigEndian(bomb.AsSpan(29), Crc32(bomb.AsSpan(12, 17)));
        string path = Write("bomb.png", bomb);

        long before = GC.GetTotalAllocatedBytes();
        ImageFileException error = Assert.Throws<ImageFileException>(() => Load(path));

        Assert.Contains("3,600,000,000", error.Message);
        Assert.Contains("64,000,000", error.Message);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 50_000_000);
    }

    /// <summary>8,000 x 8,000 pixels, as the limit allows, in files that cannot hold them: refused from the header, with nothing allocated.</summary>
    [Theory]
    [InlineData("png")]
    [InlineData("png, interlaced")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Load_SizeThatTheFileCannotHold_IsRefusedWithoutMemory(string format)
    {
        byte[] bomb = Encode(
            Noise(16, 16),
            format switch
            {
                "jpeg" => SKEncodedImageFormat.Jpeg,
                "webp" => SKEncodedImageFormat.Webp,
                _ => SKEncodedImageFormat.Png,
            }
        );
        switch (format)
        {
            case "jpeg":
                int frame = bomb.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
                BinaryPrimitives.WriteInt16BigEndian(bomb.AsSpan(frame + 5), 8000);
                BinaryPrimitives.WriteInt16BigEndian(bomb.AsSpan(frame + 7), 8000);
                break;
            case "webp":
                bomb = WebpOfSize(bomb, 8000, 8000);
                break;
            default:
                BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(16), 8000);
                BinaryPrimitives.WriteInt32BigEndian(bomb.AsSpan(20), 8000);
                if (format != "png")
                    bomb[28] = 1;
                BinaryPrimitives.WriteUInt32BigEndian(bomb.AsSpan(29), Crc32(bomb.AsSpan(12, 17)));
                break;
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        ImageFileException error = Assert.Throws<ImageFileException>(() => Decode(bomb, "bomb"));
        Assert.Contains("claims 8000 x 8000 = 64,000,000 pixels", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    /// <summary>A flat picture is the smallest file of its size, and is read; in WebP, where it takes a few bytes at any size, up to four megapixels.</summary>
    [Theory]
    [InlineData(SKEncodedImageFormat.Png, 3000)]
    [InlineData(SKEncodedImageFormat.Jpeg, 3000)]
    [InlineData(SKEncodedImageFormat.Webp, 2000)]
    public void Load_LargeFlatPicture_IsRead(SKEncodedImageFormat format, int width)
    {
        RgbImage flat = Paint(width, 2000, (_, _) => (10, 200, 30));
        Assert.Equal(width, Decode(Encode(flat, format)).Width);
    }

    [Fact]
    public void Load_MaxPixels_IsInclusive()
    {
        byte[] png = ImageFile.EncodePng(Gradient(10, 10));
        Assert.Equal(10, Decode(png, options: new ImageLoadOptions { MaxPixels = 100 }).Width);
        Assert.Throws<ImageFileException>(() => Decode(png, options: new ImageLoadOptions { MaxPixels = 99 }));
    }

    protected string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(Folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    protected static RgbImage Gradient(int width, int height) =>
        Paint(width, height, (x, y) => ((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)(120 + (x % 3))));

    protected static RgbImage Noise(int width, int height)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(5).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    private static RgbImage Blocks(int width, int height) =>
        Paint(
            width,
            height,
            (x, y) =>
                (x < width / 2, y < height / 2) switch
                {
                    (true, true) => ((byte)255, (byte)0, (byte)0),
                    (false, true) => ((byte)0, (byte)255, (byte)0),
                    (true, false) => ((byte)0, (byte)0, (byte)255),
                    _ => ((byte)0, (byte)0, (byte)0),
                }
        );

    protected static RgbImage Paint(int width, int height, Func<int, int, (byte R, byte G, byte B)> colour)
    {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++)
        {
            (rgb[3 * i], rgb[(3 * i) + 1], rgb[(3 * i) + 2]) = colour(i % width, i / width);
        }

        return new RgbImage(width, height, rgb);
    }

    private static string Corners(RgbImage image)
    {
        char At(int x, int y)
        {
            ReadOnlySpan<byte> pixel = image.Rgb.AsSpan(((y * image.Width) + x) * 3, 3);
            return pixel[0] > 128 ? 'R'
                : pixel[1] > 128 ? 'G'
                : pixel[2] > 128 ? 'B'
                : 'K';
        }

        int right = image.Width - 4,
            bottom = image.Height - 4;
        return $"{At(3, 3)}{At(right, 3)}/{At(3, bottom)}{At(right, bottom)}";
    }

    protected static byte[] Encode(RgbImage image, SKEncodedImageFormat format)
    {
        byte[] rgba = new byte[image.Width * image.Height * 4];
        for (int i = 0; i < image.Width * image.Height; i++)
        {
            image.Rgb.AsSpan(i * 3, 3).CopyTo(rgba.AsSpan(i * 4));
            rgba[(i * 4) + 3] = 255;
        }

        return EncodeRgba(rgba, image.Width, image.Height, format, SKAlphaType.Opaque);
    }

    private static byte[] EncodeRgba(
        byte[] rgba,
        int width,
        int height,
        SKEncodedImageFormat format = SKEncodedImageFormat.Png,
        SKAlphaType alpha = SKAlphaType.Unpremul
    )
    {
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), rgba);
        using SKData data = image.Encode(format, 100);
        return data.ToArray();
    }

    // An EXIF segment with the orientation tag alone, right behind the start-of-image mark.
    protected static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] exif =
        [
            0xFF,
            0xE1,
            0,
            34,
            (byte)'E',
            (byte)'x',
            (byte)'i',
            (byte)'f',
            0,
            0,
            (byte)'M',
            (byte)'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            0x01,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            (byte)orientation,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        return [.. jpeg.AsSpan(0, 2), .. exif, .. jpeg.AsSpan(2)];
    }

    private static byte[] Exif(int orientation, bool big) =>
        big
            ? [(byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0]
            : [(byte)'I', (byte)'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];

    private static byte[] WithChunk(byte[] png, string type, byte[] content, string before)
    {
        int at = png.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(before)) - 4;
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(type), .. content],
            length = new byte[4],
            check = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(check, Crc32(body));
        return [.. png.AsSpan(0, at), .. length, .. body, .. check, .. png.AsSpan(at)];
    }

    // The extended form: a header that announces the chunk, the picture, the chunk.
    private static byte[] WebpWithExif(byte[] webp, int width, int height, byte[] exif)
    {
        byte[] padded = exif.Length % 2 == 0 ? exif : [.. exif, 0],
            size = new byte[4],
            length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, exif.Length);
        byte[] body =
        [
            .. "WEBPVP8X"u8,
            10,
            0,
            0,
            0,
            8,
            0,
            0,
            0,
            (byte)(width - 1),
            0,
            0,
            (byte)(height - 1),
            0,
            0,
            .. webp.AsSpan(12),
            .. "EXIF"u8,
            .. length,
            .. padded,
        ];
        BinaryPrimitives.WriteInt32LittleEndian(size, body.Length);
        return [.. "RIFF"u8, .. size, .. body];
    }

    // Width and height in the header of the lossy picture.
    private static byte[] WebpOfSize(byte[] webp, int width, int height)
    {
        int start = webp.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A]);
        if (start >= 0)
        {
            BinaryPrimitives.WriteInt16LittleEndian(webp.AsSpan(start + 3), (short)width);
            BinaryPrimitives.WriteInt16LittleEndian(webp.AsSpan(start + 5), (short)height);
            return webp;
        }

        // The lossless one: 14 bits each behind the signature.
        start = webp.AsSpan().IndexOf("VP8L"u8) + 9;
        uint bits = BinaryPrimitives.ReadUInt32LittleEndian(webp.AsSpan(start)) & 0xF0000000;
        BinaryPrimitives.WriteUInt32LittleEndian(webp.AsSpan(start), bits | (uint)(width - 1) | ((uint)(height - 1) << 14));
        return webp;
    }

    protected static uint Crc32(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
