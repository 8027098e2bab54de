using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Experiments;

public class MeasuresTests
{
    [Fact]
    public void Of_GaussianSample_LiesOnTheShell()
    {
        using Tensor like = empty([1]);
        using Tensor noise = Seeds.Normal(3, [1, 4, 64, 64], like);
        LatentStatistics s = LatentStatistics.Of(noise);
        // The expectation for n = 16,384 is the paper's -23,248.
        Assert.Equal(-23_248, s.GaussianLogLikelihood, 1.0);
        Assert.InRange(s.LogLikelihood - s.GaussianLogLikelihood, -400, 400);
        Assert.InRange(s.ShellDeviation, -4, 4);
        Assert.InRange(s.Kurtosis, 2.85, 3.15);
        Assert.InRange(s.NeighbourCorrelation, -0.03, 0.03);
    }

    [Fact]
    public void Of_ConstantRows_CorrelatesAlongThem()
    {
        using Tensor rows = arange(0, 16, ScalarType.Float32).view(1, 1, 16, 1).expand(1, 4, 16, 16).contiguous();
        Assert.True(LatentStatistics.Of(rows).NeighbourCorrelation > 0.8);
    }

    [Fact]
    public void MultiScale_ShiftedEdge_CostsLessThanAnotherColour()
    {
        static RgbImage Bar(int from, byte value) => new(32, 32, [.. Enumerable.Range(0, 32 * 32).SelectMany(p => p % 32 >= from && p % 32 < from + 12 ? new[] { value, value, value } : new byte[] { 0, 0, 0 })]);
        double shifted = ImageDistance.MultiScale(Bar(8, 200), Bar(9, 200)), gone = ImageDistance.MultiScale(Bar(8, 200), Bar(8, 0));
        Assert.Equal(0, ImageDistance.MultiScale(Bar(8, 200), Bar(8, 200)));
        Assert.True(shifted > 0 && shifted < gone / 2, $"shifted {shifted}, gone {gone}");
        Assert.Equal(1, ImageDistance.MultiScale(new RgbImage(16, 16, new byte[768]), new RgbImage(16, 16, [.. Enumerable.Repeat((byte)255, 768)])), 1e-5);
    }
}
