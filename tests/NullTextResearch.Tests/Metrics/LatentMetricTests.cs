using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public sealed class LatentMetricTests
{
    [Fact]
    public void LatentDistance_KnownVectors()
    {
        using DisposeScope scope = NewDisposeScope();
        LatentDistance distance = LatentDistance.Between(tensor(new float[] { 3, 4, 1 }), tensor(new float[] { 3, 4, 0 }));
        Assert.Equal(0.2, distance.RelativeL2, 1e-12);
        Assert.Equal(1, distance.MaxAbsolute);
        Assert.Equal(new LatentDistance(0, 0), LatentDistance.Between(zeros(3), zeros(3)));
        Assert.Equal(double.PositiveInfinity, LatentDistance.Between(ones(3), zeros(3)).RelativeL2);
        Assert.Equal(double.NaN, LatentDistance.Between(tensor(new[] { 0f, float.NaN, 5f }), zeros(3)).MaxAbsolute);
        Assert.Throws<ShapeMismatchException>(() => LatentDistance.Between(zeros(3), zeros(1, 3)));
    }

    [Fact]
    public void GaussianStatistics_ZeroLatentsOfStableDiffusion_HaveThePapersReferencePoints()
    {
        using Tensor z = zeros(1, 4, 64, 64);
        GaussianStatistics statistics = GaussianStatistics.Of(z)[0];
        Assert.Equal(16384, statistics.Dimensions);
        Assert.Equal(-15056, statistics.LogLikelihood, 1.0);
        Assert.Equal(-23248, statistics.ExpectedLogLikelihood, 1.0);
        Assert.Equal(90.5, statistics.LogLikelihoodDeviation, 0.1);
        Assert.Equal(-Math.Sqrt(16384 / 2.0), statistics.ShellDeviation, 1e-9);
    }

    [Fact]
    public void GaussianStatistics_TrueSamples_LieWithinFourDeviations()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new Generator(11);
        Tensor z = randn([3, 4, 64, 64], generator: generator);
        IReadOnlyList<GaussianStatistics> all = GaussianStatistics.Of(z);
        Assert.Equal(3, all.Count);
        Assert.All(
            all,
            s =>
            {
                Assert.InRange((s.LogLikelihood - s.ExpectedLogLikelihood) / s.LogLikelihoodDeviation, -4, 4);
                Assert.InRange(s.ShellDeviation, -4, 4);

                // Both say the same, with opposite sign.
                Assert.Equal(-s.ShellDeviation, (s.LogLikelihood - s.ExpectedLogLikelihood) / s.LogLikelihoodDeviation, 1e-6);
                Assert.InRange(s.MeanSquare, 1 - (4 * Math.Sqrt(2 / 16384.0)), 1 + (4 * Math.Sqrt(2 / 16384.0)));
                Assert.InRange(s.ExcessKurtosis, -4 * Math.Sqrt(24 / 16384.0), 4 * Math.Sqrt(24 / 16384.0));
                Assert.InRange(s.HorizontalCorrelation, -4 / Math.Sqrt(16384), 4 / Math.Sqrt(16384));
                Assert.InRange(s.VerticalCorrelation, -4 / Math.Sqrt(16384), 4 / Math.Sqrt(16384));
                Assert.All(s.ChannelMeans, m => Assert.InRange(m, -4 / 64.0, 4 / 64.0));
                Assert.All(s.ChannelDeviations, d => Assert.InRange(d, 0.95, 1.05));
            }
        );
    }

    [Fact]
    public void GaussianStatistics_ColumnStripes_CorrelateVerticallyOnly()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new Generator(3);
        Tensor stripes = randn([1, 4, 1, 64], generator: generator).expand(1, 4, 64, 64);
        GaussianStatistics statistics = GaussianStatistics.Of(stripes)[0];
        Assert.Equal(1, statistics.VerticalCorrelation, 1e-9);
        Assert.InRange(statistics.HorizontalCorrelation, -0.4, 0.4);
        Assert.Equal((statistics.VerticalCorrelation + statistics.HorizontalCorrelation) / 2, statistics.NeighbourCorrelation, 1e-12);
    }

    [Fact]
    public void GaussianStatistics_ShiftedChannel_ShowsInItsMean_NotInTheCorrelations()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new Generator(5);
        Tensor z = randn([1, 4, 64, 64], generator: generator);
        z[0, 2].PlusInPlace(3).TimesInPlace(0.5);
        GaussianStatistics statistics = GaussianStatistics.Of(z)[0];
        Assert.Equal(1.5, statistics.ChannelMeans[2], 0.05);
        Assert.Equal(0.5, statistics.ChannelDeviations[2], 0.05);
        Assert.InRange(statistics.NeighbourCorrelation, -0.05, 0.05);
    }

    [Fact]
    public void GaussianStatistics_SignsOnly_HaveKurtosisMinusTwo()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor signs = tensor(new float[] { 1, -1, -1, 1, 1, -1, 1, -1 }, [1, 2, 2, 2]);
        Assert.Equal(-2, GaussianStatistics.Of(signs)[0].ExcessKurtosis, 1e-9);
    }

    /// <summary>Population moments about the mean, and correlations of all neighbours, worked out by hand.</summary>
    [Fact]
    public void GaussianStatistics_FourNumbers_AreThoseWorkedOutByHand()
    {
        using DisposeScope scope = NewDisposeScope();
        // About their mean of 1 they are -1, -1, -1, 3: second moment 12 / 4, fourth 84 / 4.
        GaussianStatistics one = GaussianStatistics.Of(tensor(new[] { 0.0, 0, 0, 4 }, [1, 1, 2, 2]))[0];
        Assert.Equal(21 / 9.0 - 3, one.ExcessKurtosis, 1e-12);
        Assert.Equal(Math.Sqrt(3), one.ChannelDeviations[0], 1e-12);
        Assert.Equal(4, one.MeanSquare, 1e-12);
        Assert.Equal((16 - 4) / Math.Sqrt(8), one.ShellDeviation, 1e-12);
        // About their mean of 3 they are -2, -1 above 0, 3.
        GaussianStatistics other = GaussianStatistics.Of(tensor(new[] { 1.0, 2, 3, 6 }, [1, 1, 2, 2]))[0];
        Assert.Equal(((-2 * -1) + (0 * 3)) / Math.Sqrt((4 + 0) * (1 + 9)), other.HorizontalCorrelation, 1e-12);
        Assert.Equal(((-2 * 0) + (-1 * 3)) / Math.Sqrt((4 + 1) * (0 + 9)), other.VerticalCorrelation, 1e-12);
    }

    [Fact]
    public void GaussianStatistics_WrongShape_Throws()
    {
        using Tensor flat = zeros(4, 8, 8),
            thin = zeros(1, 4, 1, 8);
        Assert.Throws<ShapeMismatchException>(() => GaussianStatistics.Of(flat));
        Assert.Throws<ArgumentException>(() => GaussianStatistics.Of(thin));
    }

    [Fact]
    public void Metrics_LeaveNoTensorsBehind()
    {
        using Tensor z = randn(2, 3, 16, 16),
            y = randn(2, 3, 16, 16);
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        GaussianStatistics.Of(z);
        LatentDistance.Between(z, y);
        Psnr.PerImage(z, y);
        Ssim.PerImage(z, y);
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }
}
