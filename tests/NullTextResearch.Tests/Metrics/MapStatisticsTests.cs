using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public sealed class MapStatisticsTests
{
    [Fact]
    public void EvenMap_HasTheEntropyOfItsPlaces()
    {
        float[] even = [.. Enumerable.Repeat(0.3f, 256)];
        Assert.Equal(8, MapStatistics.Entropy(even), 1e-6);
        Assert.Equal(25 / 256.0, MapStatistics.Concentration(even), 1e-5);
        Assert.All(MapStatistics.Density(even), v => Assert.Equal(1, v, 1e-5));
    }

    [Fact]
    public void OnePlace_HasNoEntropy()
    {
        float[] one = new float[64];
        one[7] = 0.2f;
        Assert.Equal(0, MapStatistics.Entropy(one), 1e-9);
        Assert.Equal(1, MapStatistics.Concentration(one), 1e-6);
        Assert.Equal(64, MapStatistics.Density(one)[7], 1e-4);
    }

    [Fact]
    public void HalfTheMap_LosesOneBit()
    {
        float[] half = [.. Enumerable.Range(0, 64).Select(i => i < 32 ? 5f : 0f)];
        Assert.Equal(5, MapStatistics.Entropy(half), 1e-6);
    }

    [Fact]
    public void Zeros_PointNowhere()
    {
        Assert.Equal(4, MapStatistics.Entropy(new float[16]), 1e-9);
        Assert.Equal(0, MapStatistics.Concentration(new float[16]));
        Assert.All(MapStatistics.Density(new float[16]), v => Assert.Equal(0, v));
    }
}
