using NullTextResearch.Images;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Images;

public sealed class ImageTensorTests
{
    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float64)]
    public void ToPixels_AllByteValues_AreByteOver127AndAHalfMinusOne_InPlanes(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        RgbImage image = AllBytes();
        Tensor pixels = ImageTensor.ToPixels(image, CPU, dtype);

        Assert.Equal([1, 3, 16, 16], pixels.shape);
        Assert.Equal(dtype, pixels.dtype);
        double[] values = pixels.to(ScalarType.Float64).data<double>().ToArray();
        for (int i = 0; i < 256; i++)
        {
            for (int channel = 0; channel < 3; channel++)
            {
                byte value = image.Rgb[(i * 3) + channel];
                double expected = dtype == ScalarType.Float64 ? (value / 127.5) - 1 : (value / 127.5f) - 1f;
                Assert.Equal(expected, values[(channel * 256) + i]);
            }
        }
    }

    [Fact]
    public void ToPixels_Batch_KeepsOrder()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels = ImageTensor.ToPixels([new RgbImage(1, 1, [0, 255, 0]), new RgbImage(1, 1, [255, 0, 255])]);
        Assert.Equal([-1f, 1f, -1f, 1f, -1f, 1f], pixels.data<float>().ToArray());
    }

    [Fact]
    public void ToPixels_MixedSizes_Throws() =>
        Assert.Throws<ArgumentException>(() => ImageTensor.ToPixels([new RgbImage(1, 1, new byte[3]), new RgbImage(2, 1, new byte[6])]));

    [Fact]
    public void ToPixels_IntegerType_Throws() =>
        Assert.Throws<ArgumentException>(() => ImageTensor.ToPixels(new RgbImage(1, 1, new byte[3]), dtype: ScalarType.Int32));

    [Fact]
    public void ToImages_FollowsTheReleasedFormula_TruncatedAndClipped()
    {
        using DisposeScope scope = NewDisposeScope();
        float[] values = [-3f, -1f, -0.9999f, -0.5f, 0f, 0.001f, 0.5f, 0.7f, 0.99f, 0.9999f, 1f, 3f];
        Tensor pixels = tensor(values, [1, 3, 2, 2]);
        RgbImage image = ImageTensor.ToImages(pixels)[0];
        for (int i = 0; i < values.Length; i++)
        {
            byte expected = (byte)(Math.Clamp((values[i] / 2f) + 0.5f, 0f, 1f) * 255f);
            Assert.Equal(expected, image.Rgb[(i % 4 * 3) + (i / 4)]);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1)]
    [InlineData(ScalarType.Float64, 1)]
    [InlineData(ScalarType.Float16, 1)]
    public void RoundTrip_OfBytes_LosesAtMostOneByTruncation(ScalarType dtype, int tolerance)
    {
        // Truncation, not rounding: a byte whose float falls just short comes back one lower, as in the released code.
        using DisposeScope scope = NewDisposeScope();
        RgbImage image = AllBytes();
        RgbImage back = ImageTensor.ToImages(ImageTensor.ToPixels(image, dtype: dtype))[0];
        Assert.All(image.Rgb.Zip(back.Rgb, (a, b) => a - b), difference => Assert.InRange(difference, 0, tolerance));
    }

    [Fact]
    public void ToImages_NotANumber_Throws()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels = Constants.Full([1, 3, 2, 2], float.NaN);
        Assert.Throws<ArgumentException>(() => ImageTensor.ToImages(pixels));
    }

    [Fact]
    public void ToImages_WrongShape_SaysWhatIsExpected()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = zeros(1, 4, 2, 2);
        Assert.Contains("[B, 3, H, W]", Assert.Throws<ArgumentException>(() => ImageTensor.ToImages(latents)).Message);
    }

    [Fact]
    public void BothWays_LeaveOnlyTheResultAlive()
    {
        RgbImage image = AllBytes();
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        using (Tensor pixels = ImageTensor.ToPixels([image, image]))
        {
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
            ImageTensor.ToImages(pixels);
            Assert.Equal(before + 1, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private static RgbImage AllBytes() => new(16, 16, [.. Enumerable.Range(0, 256).SelectMany(i => new[] { (byte)i, (byte)(255 - i), (byte)(i ^ 0x55) })]);
}
