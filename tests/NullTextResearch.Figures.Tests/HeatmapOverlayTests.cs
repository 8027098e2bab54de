using NullTextResearch.Images;

namespace NullTextResearch.Figures.Tests;

public sealed class HeatmapOverlayTests
{
    private static readonly RgbImage Grey = new(32, 32, [.. Enumerable.Repeat((byte)128, 32 * 32 * 3)]);

    [Fact]
    public void Over_OneHotMap_IsBrightestAtThatPlace()
    {
        float[] map = new float[16];
        map[(1 * 4) + 2] = 0.3f;

        RgbImage result = HeatmapOverlay.Over(Grey, map, 4, 4);

        int brightest = Enumerable.Range(0, 32 * 32).MaxBy(i => result.Rgb[i * 3] + result.Rgb[(i * 3) + 1]);
        Assert.InRange(brightest % 32, 16, 23);
        Assert.InRange(brightest / 32, 8, 15);
    }

    [Fact]
    public void Over_HigherValue_IsLighter()
    {
        // Perceptual order: luminance over a flat picture rises with the map's value.
        float[] ramp = [.. Enumerable.Range(0, 32).Select(i => i / 31f)];

        RgbImage result = HeatmapOverlay.Over(Grey, ramp, 32, 1);

        double[] luminance =
        [
            .. Enumerable.Range(0, 32).Select(x => (0.2126 * result.Rgb[x * 3]) + (0.7152 * result.Rgb[(x * 3) + 1]) + (0.0722 * result.Rgb[(x * 3) + 2])),
        ];
        Assert.True(luminance[^1] - luminance[0] > 60, $"from {luminance[0]} to {luminance[^1]}");
        for (int i = 4; i < 32; i += 4)
        {
            Assert.True(luminance[i] > luminance[i - 4], $"at {i}: {luminance[i]} after {luminance[i - 4]}");
        }
    }

    [Fact]
    public void Over_ScaledMap_GivesTheSamePicture()
    {
        float[] map = [0.1f, 0.4f, 0.2f, 0.8f];

        Assert.Equal(HeatmapOverlay.Over(Grey, map, 2, 2).Rgb, HeatmapOverlay.Over(Grey, [.. map.Select(value => value * 16)], 2, 2).Rgb);
    }

    [Fact]
    public void Over_CommonScale_KeepsAnEvenMapDull()
    {
        float[] even = [1, 1, 1, 1],
            one = [4, 0, 0, 0];

        Assert.Equal(HeatmapOverlay.Over(Grey, [1, 1, 1, 4], 2, 2).Rgb[0], HeatmapOverlay.Over(Grey, even, 2, 2, 4).Rgb[0]);
        Assert.Equal(HeatmapOverlay.Over(Grey, one, 2, 2).Rgb, HeatmapOverlay.Over(Grey, one, 2, 2, 4).Rgb);
        Assert.Equal(HeatmapOverlay.Over(Grey, one, 2, 2, 2).Rgb[..3], HeatmapOverlay.Over(Grey, [2, 0, 0, 0], 2, 2).Rgb[..3]);
        Assert.Contains("positive", Assert.Throws<ArgumentException>(() => HeatmapOverlay.Over(Grey, one, 2, 2, 0)).Message);
    }

    [Fact]
    public void Over_ZeroMap_IsFlat()
    {
        byte[] rgb = HeatmapOverlay.Over(Grey, new float[4], 2, 2).Rgb;

        Assert.All(Enumerable.Range(0, rgb.Length), i => Assert.Equal(rgb[i % 3], rgb[i]));
    }

    [Fact]
    public void Over_Picture_ShowsThrough()
    {
        RgbImage picture = SampleReport.Picture(0);

        byte[] rgb = HeatmapOverlay.Over(picture, [1], 1, 1).Rgb;

        Assert.True(rgb.Chunk(3).Select(pixel => pixel[1]).Distinct().Count() > 10);
    }

    [Theory]
    [InlineData(3, "needs 4 values, got 3")]
    [InlineData(4, "Map value 1 is -1")]
    public void Over_WrongMap_SaysWhatIsWrong(int length, string expected)
    {
        float[] map = new float[length];
        map[1] = -1;

        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => HeatmapOverlay.Over(Grey, map, 2, 2)).Message);
    }
}
