using System.Buffers.Binary;
using NullTextResearch.Images;
using SkiaSharp;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class ImageFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-image-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void SavePng_ThenLoad_GivesTheSamePixels()
    {
        RgbImage image = Gradient(37, 21);
        string path = Path.Combine(_folder, "new", "folder", "a.png");
        ImageFile.SavePng(image, path);
        Assert.Equal(image, ImageFile.Load(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void SavePng_ExistingFile_IsReplaced_AndUnwritablePlaceLeavesNothing()
    {
        string path = Path.Combine(_folder, "a.png");
        ImageFile.SavePng(Gradient(5, 5), path);
        ImageFile.SavePng(Gradient(6, 4), path);
        Assert.Equal(Gradient(6, 4), ImageFile.Load(path));

        // A folder with the file's name cannot be replaced by a file.
        string blocked = Path.Combine(_folder, "b.png");
        Directory.CreateDirectory(blocked);
        Assert.ThrowsAny<Exception>(() => ImageFile.SavePng(Gradient(6, 4), blocked));
        Assert.Equal(["a.png"], Directory.GetFiles(_folder).Select(Path.GetFileName));
    }

    [Fact]
    public void EncodePng_SamePixels_GivesSameBytes() => Assert.Equal(ImageFile.EncodePng(Gradient(9, 9)), ImageFile.EncodePng(Gradient(9, 9)));

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg, 6)]
    [InlineData(SKEncodedImageFormat.Webp, 6)]
    [InlineData(SKEncodedImageFormat.Png, 0)]
    public void Load_EachFormat_GivesThePixels(SKEncodedImageFormat format, int tolerance)
    {
        RgbImage image = Gradient(48, 32);

        // The content decides, not the name.
        string path = Write("picture.bin", Encode(image, format));
        RgbImage loaded = ImageFile.Load(path);

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
        Assert.Equal([red, green, green], ImageFile.Load(path, new ImageLoadOptions { Alpha = alpha }).Rgb);
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

        RgbImage upright = ImageFile.Load(path);
        RgbImage raw = ImageFile.Load(path, new ImageLoadOptions { HonourOrientation = false });

        Assert.Equal(orientation >= 5 ? (32, 48) : (48, 32), (upright.Width, upright.Height));
        Assert.Equal(corners, Corners(upright));
        Assert.Equal("RG/BK", Corners(raw));
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        string path = Path.Combine(_folder, "nowhere.png");
        var error = Assert.Throws<ImageFileException>(() => ImageFile.Load(path));
        Assert.Equal(path, error.ImagePath);
        Assert.Contains("no such file", error.Message);
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void Load_Folder_SaysSo() => Assert.Contains("folder", Assert.Throws<ImageFileException>(() => ImageFile.Load(_folder)).Message);

    [Fact]
    public void Load_EmptyFile_SaysSo() =>
        Assert.Contains("empty", Assert.Throws<ImageFileException>(() => ImageFile.Load(Write("e.png", []))).Message);

    [Theory]
    [InlineData("GIF89a...........")]
    [InlineData("BM")]
    [InlineData("hello, I am a text file")]
    public void Load_OtherFormat_NamesTheSupportedOnes(string content)
    {
        string path = Write("x.png", System.Text.Encoding.ASCII.GetBytes(content));
        Assert.Contains("PNG, JPEG or WebP", Assert.Throws<ImageFileException>(() => ImageFile.Load(path)).Message);
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
            var error = Assert.Throws<ImageFileException>(() => ImageFile.Decode(cut, "cut"));
            Assert.Contains("'cut'", error.Message);
        }
    }

    [Fact]
    public void Load_DamagedPng_Throws()
    {
        byte[] bytes = Encode(Noise(64, 64), SKEncodedImageFormat.Png);
        bytes.AsSpan(bytes.Length / 2, 64).Fill(0xA5);
        Assert.Throws<ImageFileException>(() => ImageFile.Decode(bytes));
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
        var error = Assert.Throws<ImageFileException>(() => ImageFile.Load(path));

        Assert.Contains("3,600,000,000", error.Message);
        Assert.Contains("64,000,000", error.Message);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 50_000_000);
    }

    [Fact]
    public void Load_MaxPixels_IsInclusive()
    {
        byte[] png = ImageFile.EncodePng(Gradient(10, 10));
        Assert.Equal(10, ImageFile.Decode(png, options: new ImageLoadOptions { MaxPixels = 100 }).Width);
        Assert.Throws<ImageFileException>(() => ImageFile.Decode(png, options: new ImageLoadOptions { MaxPixels = 99 }));
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static RgbImage Gradient(int width, int height) =>
        Paint(width, height, (x, y) => ((byte)(x * 255 / width), (byte)(y * 255 / height), (byte)(120 + (x % 3))));

    private static RgbImage Noise(int width, int height)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(5).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    private static RgbImage Blocks(int width, int height) => Paint(width, height, (x, y) => (x < width / 2, y < height / 2) switch
    {
        (true, true) => ((byte)255, (byte)0, (byte)0),
        (false, true) => ((byte)0, (byte)255, (byte)0),
        (true, false) => ((byte)0, (byte)0, (byte)255),
        _ => ((byte)0, (byte)0, (byte)0),
    });

    private static RgbImage Paint(int width, int height, Func<int, int, (byte R, byte G, byte B)> colour)
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
            return pixel[0] > 128 ? 'R' : pixel[1] > 128 ? 'G' : pixel[2] > 128 ? 'B' : 'K';
        }

        int right = image.Width - 4, bottom = image.Height - 4;
        return $"{At(3, 3)}{At(right, 3)}/{At(3, bottom)}{At(right, bottom)}";
    }

    private static byte[] Encode(RgbImage image, SKEncodedImageFormat format)
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
        byte[] rgba, int width, int height, SKEncodedImageFormat format = SKEncodedImageFormat.Png, SKAlphaType alpha = SKAlphaType.Unpremul)
    {
        using SKImage image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), rgba);
        using SKData data = image.Encode(format, 100);
        return data.ToArray();
    }

    // An EXIF segment with the orientation tag alone, right behind the start-of-image mark.
    private static byte[] WithOrientation(byte[] jpeg, int orientation)
    {
        byte[] exif =
        [
            0xFF, 0xE1, 0, 34, (byte)'E', (byte)'x', (byte)'i', (byte)'f', 0, 0,
            (byte)'M', (byte)'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0,
        ];
        return [.. jpeg.AsSpan(0, 2), .. exif, .. jpeg.AsSpan(2)];
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
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
