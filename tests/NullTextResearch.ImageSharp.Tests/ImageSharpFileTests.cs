using NullTextResearch.Images;
using NullTextResearch.TestKit;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SkiaSharp;
using Xunit;

namespace NullTextResearch.ImageSharp.Tests;

/// <summary>The same files and the same demands as for the library's own reader.</summary>
public sealed class ImageSharpFileTests : ImageReaderTests
{
    /// <summary>The two readers take a picture for the same, but for the rounding of JPEG and lossy WebP.</summary>
    [Theory]
    [InlineData(SKEncodedImageFormat.Png, 0)]
    [InlineData(SKEncodedImageFormat.Jpeg, 8)]
    [InlineData(SKEncodedImageFormat.Webp, 8)]
    public void Decode_AnyFormat_IsNearTheLibrarysOwn(SKEncodedImageFormat format, int tolerance)
    {
        byte[] file = Encode(Gradient(75, 41), format);
        RgbImage own = ImageFile.Decode(file),
            other = Decode(file);
        Assert.Equal((own.Width, own.Height), (other.Width, other.Height));
        Assert.InRange(own.Rgb.Zip(other.Rgb, (a, b) => Math.Abs(a - b)).Max(), 0, tolerance);
    }

    /// <summary>A 1.8 KB PNG file that claims 20,000 x 20,000 pixels: nothing of that size is ever allocated, also where the limit would allow it.</summary>
    [Fact]
    public void Decode_HugeClaim_TakesNoMemory()
    {
        byte[] bomb = PngOfSize(20_000, 20_000);
        using System.Diagnostics.Process process = System.Diagnostics.Process.GetCurrentProcess();
        long before = process.WorkingSet64;
        foreach (long limit in (long[])[ImageLoadOptions.DefaultMaxPixels, 1_000_000_000])
            Assert.Throws<ImageFileException>(() => Decode(bomb, "bomb", new ImageLoadOptions { MaxPixels = limit }));
        process.Refresh();
        Assert.InRange(process.WorkingSet64 - before, long.MinValue, 100_000_000);
    }

    [Fact]
    public void Decode_FormatsThatImageSharpKnowsToo_AreNotRead()
    {
        using Image<Rgb24> image = Gradient(8, 8).ToImageSharp();
        foreach (Action<Stream> save in (Action<Stream>[])[s => image.SaveAsBmp(s), s => image.SaveAsGif(s), s => image.SaveAsTga(s)])
        {
            using MemoryStream file = new();
            save(file);
            Assert.Throws<ImageFileException>(() => ImageSharpFile.Decode(file.ToArray(), "x"));
        }
    }

    /// <summary>A mutated file is a picture or a documented error, as in the library's own reader.</summary>
    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Decode_MutatedFile_ThrowsWhatIsDocumented(SKEncodedImageFormat format)
    {
        byte[] whole = Encode(Noise(24, 24), format);
        Random random = new(11);
        int refused = 0;
        for (int i = 0; i < 500; i++)
        {
            byte[] file = [.. whole];
            for (int k = random.Next(1, 6); k > 0; k--)
                file[random.Next(file.Length)] = (byte)random.Next(256);
            try
            {
                Assert.NotNull(Decode(file, "mutated", new ImageLoadOptions { MaxPixels = 100_000 }));
            }
            catch (ImageFileException e)
            {
                refused++;
                Assert.Contains("'mutated'", e.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(refused, 1, 500);
    }

    protected override RgbImage Load(string path, ImageLoadOptions? options = null)
    {
        using Image<Rgba32> image = ImageSharpFile.Load(path, options);
        return image.ToRgbImage(options?.Alpha ?? AlphaHandling.OnWhite);
    }

    protected override RgbImage Decode(byte[] bytes, string name = "(memory)", ImageLoadOptions? options = null)
    {
        using Image<Rgba32> image = ImageSharpFile.Decode(bytes, name, options);
        return image.ToRgbImage(options?.Alpha ?? AlphaHandling.OnWhite);
    }

    private static byte[] PngOfSize(int width, int height)
    {
        using Image<L8> small = new(1, 1);
        using MemoryStream file = new();
        small.SaveAsPng(file);
        byte[] png = file.ToArray();
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc32(png.AsSpan(12, 17)));
        return png;
    }
}
