using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class ImageResizeTests
{
    public static TheoryData<ResizeFilter> Filters => [.. Enum.GetValues<ResizeFilter>()];

    [Theory]
    [MemberData(nameof(Filters))]
    public void Resize_Constant_StaysConstant(ResizeFilter filter)
    {
        RgbImage image = new RgbImage(13, 7, [.. Enumerable.Repeat(new byte[] { 200, 10, 255 }, 91).SelectMany(p => p)]);
        foreach ((int width, int height) in new[] { (5, 3), (40, 40), (1, 1), (13, 50) })
        {
            RgbImage resized = ImageResize.Resize(image, width, height, filter);
            Assert.Equal((width, height), (resized.Width, resized.Height));
            Assert.All(resized.Rgb.Chunk(3), p => Assert.Equal([200, 10, 255], p));
        }
    }

    [Fact]
    public void Resize_SameSize_IsTheSameImage()
    {
        RgbImage image = new RgbImage(2, 2, new byte[12]);
        Assert.Same(image, ImageResize.Resize(image, 2, 2));
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Bicubic)]
    [InlineData(ResizeFilter.Lanczos)]
    public void Resize_FineCheckerboard_ShrinksToGreyWithoutAliasing(ResizeFilter filter)
    {
        RgbImage small = ImageResize.Resize(Grey(96, 96, (x, y) => (x + y) % 2 * 255), 24, 24, filter);
        Assert.All(Interior(small), value => Assert.InRange(value, 120, 135));
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.Bicubic)]
    [InlineData(ResizeFilter.Lanczos)]
    public void Resize_Ramp_KeepsPixelCentres(ResizeFilter filter)
    {
        // Pixel centres keep their place: value at target column i is the ramp at (i + 0.5) / 2 - 0.5.
        RgbImage wide = ImageResize.Resize(Grey(32, 4, (x, _) => x * 8), 64, 4, filter);
        for (int i = 8; i < 56; i++)
        {
            Assert.Equal((((i + 0.5) / 2) - 0.5) * 8, wide.Rgb[i * 3], 1.01);
        }
    }

    [Fact]
    public void Resize_BicubicHalf_HasTheKnownWeights()
    {
        // Halving widens the cubic to 8 taps; a step between source columns 15 and 16 answers with the taps' running sum.
        double[] taps = [.. new[] { -1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75 }.Select(Keys)];
        RgbImage step = ImageResize.Resize(Grey(32, 1, (x, _) => x >= 16 ? 200 : 0), 16, 1, ResizeFilter.Bicubic);
        Assert.Equal(0, step.Rgb[6 * 3]); // undershoot, clipped
        Assert.Equal(200 * taps[5..].Sum() / taps.Sum(), step.Rgb[7 * 3], 0.51);
        Assert.Equal(200 * taps[3..].Sum() / taps.Sum(), step.Rgb[8 * 3], 0.51);
        Assert.Equal(200 * taps[1..].Sum() / taps.Sum(), step.Rgb[9 * 3], 0.51);
        Assert.True(step.Rgb[9 * 3] > 200, "the cubic overshoots");
    }

    [Fact]
    public void Resize_Nearest_MakesNoNewColours()
    {
        RgbImage big = ImageResize.Resize(Grey(3, 3, (x, y) => (x + (3 * y)) * 20), 10, 7, ResizeFilter.Nearest);
        Assert.All(big.Rgb, value => Assert.Equal(0, value % 20));
        Assert.Equal(160, big.Rgb[^1]);
    }

    private static double Keys(double x)
    {
        x = Math.Abs(x);
        return x < 1 ? (1.5 * x * x * x) - (2.5 * x * x) + 1 : (-0.5 * x * x * x) + (2.5 * x * x) - (4 * x) + 2;
    }

    private static IEnumerable<int> Interior(RgbImage image)
    {
        for (int y = 2; y < image.Height - 2; y++)
        {
            for (int x = 2; x < image.Width - 2; x++)
            {
                yield return image.Rgb[((y * image.Width) + x) * 3];
            }
        }
    }

    private static RgbImage Grey(int width, int height, Func<int, int, int> value)
    {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.Length; i++)
        {
            rgb[i] = (byte)value(i / 3 % width, i / 3 / width);
        }

        return new RgbImage(width, height, rgb);
    }
}
