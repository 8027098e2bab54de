using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Metrics;

[LeavesNoTensors]
public class PairedDifferenceTests
{
    [Theory]
    [InlineData(2, 12.706)]
    [InlineData(5, 2.776)]
    [InlineData(8, 2.365)]
    [InlineData(10, 2.262)]
    [InlineData(32, 2.040)]
    [InlineData(1000, 1.962)]
    public void Of_KnownDifferences_HasStudentsInterval(int count, double quantile)
    {
        double[] differences = [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? 1.0 : 3.0)];
        PairedDifference result = PairedDifference.Of(differences);
        double mean = differences.Average(),
            deviation = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (count - 1));
        Assert.Equal(mean, result.Mean, 10);
        Assert.Equal(quantile, result.Margin * Math.Sqrt(count) / deviation, 2);
    }

    [Fact]
    public void Of_Pairs_IsFirstMinusSecond_AndClearOnlyWhereZeroIsOutside()
    {
        Assert.Equal(-1, PairedDifference.Of([1.0, 2.0], [2.0, 3.0]).Mean);
        Assert.True(PairedDifference.Of([1.0, 1.1, 0.9]).IsClear);
        Assert.False(PairedDifference.Of([1.0, -1.1, 0.9]).IsClear);
        Assert.False(PairedDifference.Of([1.0]).IsClear);
        Assert.Throws<ArgumentException>(() => PairedDifference.Of([]));
        Assert.Throws<ArgumentException>(() => PairedDifference.Of([1.0], [1.0, 2.0]));
    }
}
