using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public sealed class ImageMetricTests
{
    [Fact]
    public void EqualImages_AreAtTheEndOfEveryScale()
    {
        RgbImage image = Noise(32, 32, 1);
        Assert.Equal(0, Mse.Of(image, image));
        Assert.Equal(double.PositiveInfinity, Psnr.Of(image, image));
        Assert.Equal(1, Ssim.Of(image, image), 1e-12);
        Assert.Equal(1, Ssim.Of(image, image, SsimWindow.Uniform7), 1e-12);
        Assert.Equal(0, MultiScaleDistance.Of(image, image), 1e-12);
    }

    [Fact]
    public void Psnr_BlackAgainstWhite_IsZero_AndATenthOfThePeakIs20()
    {
        Assert.Equal(0, Psnr.Of(Flat(0), Flat(255)), 1e-12);
        Assert.Equal(1, Mse.Of(Flat(0), Flat(255)), 1e-12);
        using DisposeScope scope = NewDisposeScope();
        Tensor reference = zeros(2, 3, 4, 4),
            values = zeros(2, 3, 4, 4);
        values[1].Fill(0.1);
        double[] psnr = Psnr.PerImage(values, reference);
        Assert.Equal(double.PositiveInfinity, psnr[0]);
        Assert.Equal(20, psnr[1], 1e-6);
        Assert.Equal(20 + (20 * Math.Log10(2)), Psnr.PerImage(values, reference, peak: 2)[1], 1e-6);
    }

    [Fact]
    public void Distances_GrowWithNoise()
    {
        RgbImage image = Smooth(64, 64);
        RgbImage[] worse = [.. new[] { 4, 16, 64 }.Select(a => WithNoise(image, a))];
        Assert.Equal(worse.OrderByDescending(w => Psnr.Of(w, image)), worse);
        Assert.Equal(worse.OrderByDescending(w => Ssim.Of(w, image)), worse);
        Assert.Equal(worse.OrderBy(w => MultiScaleDistance.Of(w, image)), worse);
        Assert.InRange(MultiScaleDistance.Of(Noise(64, 64, 2), Noise(64, 64, 3)), 0.9, 1.1);
    }

    [Fact]
    public void MultiScaleDistance_IsSymmetric_AndForgivesFineNoiseMoreThanASingleScaleDoes()
    {
        RgbImage image = Smooth(64, 64),
            noisy = WithNoise(image, 40);
        Assert.Equal(MultiScaleDistance.Of(image, noisy), MultiScaleDistance.Of(noisy, image), 1e-12);
        Assert.True(MultiScaleDistance.Of(image, noisy) < 1 - Ssim.Of(image, noisy));
    }

    /// <summary>Against the definition: one level less than three where the next would be narrower than 11 pixels.</summary>
    [Theory]
    [InlineData(128, 96, 3)]
    [InlineData(64, 44, 3)]
    [InlineData(22, 22, 2)]
    [InlineData(37, 23, 2)]
    [InlineData(40, 21, 1)]
    public void MultiScaleDistance_IsOneMinusTheMeanSimilarityOfItsLevels(int width, int height, int levels)
    {
        using DisposeScope scope = NewDisposeScope();
        RgbImage a = Noise(width, height, 1),
            b = WithNoise(a, 90);
        Tensor x = Bytes(a),
            y = Bytes(b);
        double sum = 0;
        for (int level = 0; level < levels; level++)
        {
            sum += Ssim.PerImage(x, y, peak: 255)[0];
            (x, y) = (nn.functional.avg_pool2d(x, 2), nn.functional.avg_pool2d(y, 2));
        }
        Assert.Equal(1 - (sum / levels), MultiScaleDistance.Of(a, b), 1e-12);

        static Tensor Bytes(RgbImage image) =>
            tensor(image.Rgb.ToArray(), [1, image.Height, image.Width, 3]).to(ScalarType.Float64).permute(0, 3, 1, 2).contiguous();
    }

    /// <summary>Against numpy (tests/golden/ms_ssim.py): full two-dimensional windows in float64, on pictures made of integers.</summary>
    [Theory]
    [InlineData(64, 64, 1, 0.739341111592148)]
    [InlineData(64, 64, 2, 0.9432956230692323)]
    [InlineData(64, 64, 3, 0.9693546081122414)]
    [InlineData(51, 45, 3, 0.9612074718533724)]
    [InlineData(180, 199, 5, 0.993387170601713)]
    public void MultiScaleSsim_IsTheProductOfItsScales(int width, int height, int scales, double expected)
    {
        RgbImage a = Pattern(false),
            b = Pattern(true);
        Assert.Equal(expected, MultiScaleSsim.Of(a, b, scales), 1e-12);
        Assert.Equal(MultiScaleSsim.Of(a, b, MultiScaleSsim.ScalesOf(width, height)), MultiScaleSsim.Of(a, b), 1e-15);

        RgbImage Pattern(bool noisy)
        {
            byte[] rgb = new byte[3 * width * height];
            for (int i = 0; i < rgb.Length; i++)
            {
                int x = i / 3 % width,
                    y = i / 3 / width,
                    c = i % 3;
                int value = Math.Abs((((3 * x) + (2 * y) + (60 * c) + (x * y / 8)) % 510) - 255);
                rgb[i] = (byte)Math.Clamp(noisy ? value + (((13 * x) + (29 * y) + (5 * c)) % 41) - 20 : value, 0, 255);
            }
            return new RgbImage(width, height, rgb);
        }
    }

    [Fact]
    public void MultiScaleSsim_LimitsAndRefusals()
    {
        RgbImage image = Noise(50, 60, 1),
            other = Noise(50, 60, 2);
        Assert.Equal(1, MultiScaleSsim.Of(image, image), 1e-12);
        Assert.Equal(Ssim.Of(image, WithNoise(image, 40)), MultiScaleSsim.Of(image, WithNoise(image, 40), 1), 1e-12);
        Assert.Equal(MultiScaleSsim.Of(image, other), MultiScaleSsim.Of(other, image), 1e-12);
        // Unrelated pictures correlate negatively in some channel and scale: 0, not a root of a negative number.
        Assert.InRange(MultiScaleSsim.Of(image, other), 0, 0.5);
        Assert.Equal([0, 1, 1, 2, 5, 5], new[] { 10, 11, 21, 22, 176, 4000 }.Select(side => MultiScaleSsim.ScalesOf(side, 4000)));
        Assert.Contains("176 pixels", Assert.Throws<ArgumentException>(() => MultiScaleSsim.Of(image, other, 5)).Message, StringComparison.Ordinal);
        Assert.Contains("allow 3", Assert.Throws<ArgumentException>(() => MultiScaleSsim.Of(image, other, 4)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => MultiScaleSsim.Of(image, other, 6));
        Assert.Contains(
            "11 x 11",
            Assert.Throws<ArgumentException>(() => MultiScaleSsim.Of(Noise(10, 20, 1), Noise(10, 20, 2))).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ArgumentException>(() => MultiScaleSsim.Of(image, Noise(60, 50, 1)));
    }

    [Fact]
    public void OddAndSmallSizes_Work_TooSmallOnesSaySo()
    {
        Assert.InRange(MultiScaleDistance.Of(Noise(23, 37, 1), Noise(23, 37, 2)), 0.5, 1.5);
        Assert.InRange(MultiScaleDistance.Of(Noise(11, 11, 1), Noise(11, 11, 2)), 0.0, 2.0);
        Assert.Contains("11 x 11", Assert.Throws<ArgumentException>(() => Ssim.Of(Noise(10, 20, 1), Noise(10, 20, 2))).Message);
    }

    [Fact]
    public void DifferentSizes_AreRefused()
    {
        RgbImage a = Noise(16, 16, 1),
            b = Noise(16, 17, 1);
        Assert.Throws<ArgumentException>(() => Mse.Of(a, b));
        Assert.Throws<ArgumentException>(() => Psnr.Of(a, b));
        Assert.Throws<ArgumentException>(() => Ssim.Of(a, b));
        Assert.Throws<ArgumentException>(() => MultiScaleDistance.Of(a, b));
        using Tensor x = zeros(1, 3, 16, 16),
            y = zeros(1, 3, 16, 17),
            flat = zeros(4);
        Assert.Throws<ShapeMismatchException>(() => Psnr.PerImage(x, y));
        Assert.Throws<ShapeMismatchException>(() => Psnr.PerImage(flat, flat));
        Assert.Throws<ArgumentOutOfRangeException>(() => Psnr.PerImage(x, x, peak: 0));
    }

    private static RgbImage Flat(byte value) => new(4, 4, [.. Enumerable.Repeat(value, 48)]);

    private static RgbImage Noise(int width, int height, int seed)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(seed).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    private static RgbImage Smooth(int width, int height) =>
        new(
            width,
            height,
            [.. Enumerable.Range(0, width * height * 3).Select(i => (byte)(128 + (90 * Math.Sin(i / 3 % width / 9.0) * Math.Cos(i / 3 / width / 7.0))))]
        );

    private static RgbImage WithNoise(RgbImage image, int amplitude)
    {
        Random random = new Random(9);
        return new RgbImage(image.Width, image.Height, [.. image.Rgb.Select(v => (byte)Math.Clamp(v + random.Next(-amplitude, amplitude + 1), 0, 255))]);
    }
}
