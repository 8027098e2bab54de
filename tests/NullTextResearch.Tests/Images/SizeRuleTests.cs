using System.Text.Json;
using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class SizeRuleTests
{
    private static readonly SizeRule StableDiffusion = new(8, 512);

    [Theory]
    [InlineData("512", 512, 512)]
    [InlineData("640x448", 640, 448)]
    [InlineData(" 640 × 448 ", 640, 448)]
    public void TryParse_Sizes_AreRead(string text, int width, int height)
    {
        Assert.True(PixelSize.TryParse(text, out PixelSize size));
        Assert.Equal(new PixelSize(width, height), size);
        Assert.True(ImageSizing.TryParse(text, out ImageSizing? sizing));
        Assert.Equal(ImageSizing.Of(size), sizing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0")]
    [InlineData("-8")]
    [InlineData("8x")]
    [InlineData("8x8x8")]
    [InlineData("99999999999")]
    [InlineData("largest")]
    public void TryParse_Others_AreNot(string text)
    {
        Assert.False(PixelSize.TryParse(text, out _));
        Assert.False(ImageSizing.TryParse(text, out _));
    }

    [Fact]
    public void Json_OldManifests_HeldOneNumber()
    {
        Assert.Equal(new PixelSize(64, 64), JsonSerializer.Deserialize<PixelSize>("64"));
        Assert.Equal(new PixelSize(64, 48), JsonSerializer.Deserialize<PixelSize>(JsonSerializer.Serialize(new PixelSize(64, 48))));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<PixelSize>("\"big\""));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<PixelSize>("0"));
    }

    [Theory]
    [InlineData(8, 8)]
    [InlineData(1024, 1024)]
    [InlineData(520, 1016)]
    public void Require_MultiplesUpTo1024_Pass(int width, int height) => StableDiffusion.Require(new PixelSize(width, height));

    [Theory]
    [InlineData(500, 512, "multiples of 8", "504 x 512")]
    [InlineData(512, 1032, "at most 1024 pixels", "512 x 1024")]
    [InlineData(3, 8192, "at most 1024 pixels", "8 x 1024")]
    public void Require_Others_NameTheNearestThatPasses(int width, int height, string why, string nearest)
    {
        string message = Assert.Throws<ArgumentException>(() => StableDiffusion.Require(new PixelSize(width, height))).Message;
        Assert.Contains(why, message);
        Assert.Contains($"nearest is {nearest}", message);
        Assert.Contains("trained at 512 x 512", message);
    }

    [Fact]
    public void Keep_AnyImage_HasAnAllowedSizeOfItsRatioAndTheModelsArea()
    {
        for (int width = 100; width <= 4000; width += 173)
        {
            for (int height = 100; height <= 4000; height += 191)
            {
                PixelSize image = new(width, height),
                    kept = ImageSizing.Keep.For(image, StableDiffusion);
                Assert.True(StableDiffusion.Allows(kept), $"{image}: {kept}");
                // Each side is off by half a unit at most.
                double ratio = (double)width / height;
                Assert.InRange(ratio, (kept.Width - 4.01) / (kept.Height + 4.01), (kept.Width + 4.01) / (kept.Height - 4.01));
                if (Math.Max(kept.Width, kept.Height) < SizeRule.Most)
                    Assert.InRange(Math.Sqrt(kept.Area), 512 - 8, 512 + 8);
            }
        }

        Assert.Equal(new PixelSize(512, 512), ImageSizing.Keep.For(new PixelSize(3000, 3000), StableDiffusion));
        Assert.Equal(new PixelSize(624, 416), ImageSizing.Keep.For(new PixelSize(3000, 2000), StableDiffusion));
        Assert.Equal(new PixelSize(1024, 104), ImageSizing.Keep.For(new PixelSize(10_000, 1000), StableDiffusion));
    }

    [Fact]
    public void AsIs_ImageThatTheModelDoesNotTake_IsRefused()
    {
        Assert.Equal(new PixelSize(640, 448), ImageSizing.AsIs.For(new PixelSize(640, 448), StableDiffusion));
        Assert.Throws<ArgumentException>(() => ImageSizing.AsIs.For(new PixelSize(641, 448), StableDiffusion));
        Assert.Equal(new PixelSize(512, 512), ImageSizing.Own.For(new PixelSize(641, 448), StableDiffusion));
    }
}
