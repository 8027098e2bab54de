using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public sealed class MaskedMetricTests
{
    public static TheoryData<MaskedMode> Modes => [.. Enum.GetValues<MaskedMode>()];

    [Theory]
    [MemberData(nameof(Modes))]
    public void MaskOfEverything_IsThePlainMeasure(MaskedMode mode)
    {
        RgbImage a = Noise(24, 17, 1),
            b = Noise(24, 17, 2);
        RegionMask all = RegionMask.Everything(24, 17);
        Assert.Equal(Mse.Of(a, b), MaskedMse.Of(a, b, all, mode), 1e-15);
        Assert.Equal(Psnr.Of(a, b), MaskedPsnr.Of(a, b, all, mode), 1e-12);
        foreach (SsimBorder border in Enum.GetValues<SsimBorder>())
            Assert.Equal(Ssim.Of(a, b, border: border), MaskedSsim.Of(a, b, all, mode, border), 1e-12);
    }

    /// <summary>The published mode credits the picture outside of the mask, the corrected one does not see it.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(200)]
    public void ConstantDifference_CorrectedIgnoresTheArea_OfficialDoesNot(int pixels)
    {
        RgbImage a = Flat(16, 100),
            b = Flat(16, 151);
        RegionMask mask = RegionMask.FromRuns([0, pixels], 16, 16, frame: false);
        Assert.Equal(pixels, mask.Count);
        Assert.Equal(0.04, MaskedMse.Of(a, b, mask, MaskedMode.Corrected), 1e-12);
        Assert.Equal(10 * Math.Log10(25), MaskedPsnr.Of(a, b, mask, MaskedMode.Corrected), 1e-9);
        Assert.Equal(0.04 * pixels / 256, MaskedMse.Of(a, b, mask, MaskedMode.PieOfficial), 1e-12);
        Assert.Equal(Ssim.Of(a, b), MaskedSsim.Of(a, b, mask, MaskedMode.Corrected), 1e-9);
    }

    [Fact]
    public void DifferenceOutside_DoesNotCount()
    {
        RgbImage a = Noise(32, 32, 1);
        byte[] changed = [.. a.Rgb];
        changed[0] ^= 255;
        RgbImage b = new(32, 32, changed);
        RegionMask lower = RegionMask.FromRuns([16 * 32, 16 * 32], 32, 32, frame: false);
        foreach (MaskedMode mode in Enum.GetValues<MaskedMode>())
        {
            Assert.Equal(double.PositiveInfinity, MaskedPsnr.Of(a, b, lower, mode));
            Assert.Equal(1, MaskedSsim.Of(a, b, lower, mode), 1e-12);
            Assert.True(MaskedMse.Of(a, b, lower.Inverse(), mode) > 0);
        }
    }

    [Fact]
    public void EmptyMask_IsNoNumber()
    {
        RgbImage a = Noise(16, 16, 1);
        RegionMask nothing = RegionMask.Everything(16, 16).Inverse();
        foreach (MaskedMode mode in Enum.GetValues<MaskedMode>())
        {
            Assert.True(double.IsNaN(MaskedMse.Of(a, a, nothing, mode)));
            Assert.True(double.IsNaN(MaskedPsnr.Of(a, a, nothing, mode)));
            Assert.True(double.IsNaN(MaskedSsim.Of(a, a, nothing, mode)));
        }
    }

    [Fact]
    public void FromRuns_CutsAtTheEnd_AndPutsTheFrameInside()
    {
        RegionMask mask = RegionMask.FromRuns([6, 1, 14, 100], 4, 4, frame: false);
        Assert.Equal([6, 14, 15], Enumerable.Range(0, 16).Where(i => mask[i]));
        mask = RegionMask.FromRuns([5, 1], 4, 4);
        Assert.Equal([6, 9, 10], Enumerable.Range(0, 16).Where(i => !mask[i]));
        Assert.Throws<ArgumentException>(() => RegionMask.FromRuns([1], 4, 4));
        Assert.Throws<ArgumentException>(() => RegionMask.FromRuns([-1, 2], 4, 4));
    }

    [Fact]
    public void OtherSizes_AreRefused()
    {
        RgbImage a = Noise(16, 16, 1),
            b = Noise(16, 17, 1);
        RegionMask mask = RegionMask.Everything(16, 16);
        Assert.Throws<ArgumentException>(() => MaskedMse.Of(a, b, mask, MaskedMode.Corrected));
        Assert.Throws<ArgumentException>(() => MaskedSsim.Of(b, b, mask, MaskedMode.PieOfficial));
        Assert.Throws<ArgumentException>(() => new RegionMask(2, 2, [true]));
    }

    private static RgbImage Flat(int side, byte value) => new(side, side, [.. Enumerable.Repeat(value, side * side * 3)]);

    private static RgbImage Noise(int width, int height, int seed)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(seed).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }
}
