using NullTextResearch.Benchmarks;
using NullTextResearch.Perception;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public class BootstrapTests
{
    [Fact]
    public void Mean_KnownValues_HasTheNormalInterval()
    {
        // 400 values of 0 and 1: the standard error is 0.5 / 20.
        double[] values = [.. Enumerable.Range(0, 400).Select(i => (double)(i % 2))];
        Estimate mean = Bootstrap.Mean(values);
        Assert.Equal(0.5, mean.Value);
        Assert.InRange(mean.Low, 0.5 - (1.96 * 0.025 * 1.15), 0.5 - (1.96 * 0.025 * 0.85));
        Assert.InRange(mean.High, 0.5 + (1.96 * 0.025 * 0.85), 0.5 + (1.96 * 0.025 * 1.15));
        Assert.True(mean.Excludes(0));
        Assert.False(mean.Excludes(0.5));
        Estimate narrow = Bootstrap.Mean(values, new BootstrapOptions { Level = 0.5 });
        Assert.True(narrow.Low > mean.Low && narrow.High < mean.High);
        Assert.Equal(mean, Bootstrap.Mean(values));
    }

    [Fact]
    public void Mean_Coverage_IsAboutTheLevel()
    {
        Random random = new(3);
        int covered = 0;
        const int Rounds = 300;
        for (int round = 0; round < Rounds; round++)
        {
            double[] values = [.. Enumerable.Range(0, 60).Select(_ => random.NextDouble())];
            covered += Bootstrap.Mean(values, new BootstrapOptions { Resamples = 400, Seed = round }).Excludes(0.5) ? 0 : 1;
        }

        Assert.InRange((double)covered / Rounds, 0.90, 0.98);
    }

    [Fact]
    public void Mean_UndefinedAndInfiniteValues_AreLeftOutOrKept()
    {
        Assert.Equal(new Estimate(2, 2, 2), Bootstrap.Mean([2, double.NaN, 2]));
        Estimate none = Bootstrap.Mean([double.NaN]);
        Assert.True(double.IsNaN(none.Value) && double.IsNaN(none.Low) && double.IsNaN(none.High));
        Estimate infinite = Bootstrap.Mean([double.PositiveInfinity, 1, 2, 3]);
        Assert.Equal(double.PositiveInfinity, infinite.Value);
        Assert.Equal(double.PositiveInfinity, infinite.High);
        Assert.False(double.IsNaN(infinite.Low));
    }

    [Fact]
    public void MeanDifference_PairedValues_IgnoresWhatBothShare()
    {
        double[] first = [.. Enumerable.Range(0, 50).Select(i => i + 0.1)],
            second = [.. Enumerable.Range(0, 50).Select(i => (double)i)];
        Estimate difference = Bootstrap.MeanDifference(first, second);
        Assert.Equal(0.1, difference.Low, 9);
        Assert.Equal(0.1, difference.High, 9);
        Assert.Throws<ArgumentException>(() => Bootstrap.MeanDifference([1], [1, 2]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0.25, 1.75)]
    [InlineData(0.5, 2.5)]
    [InlineData(1, 4)]
    public void Quantile_OfFour_IsLinearBetweenNeighbours(double share, double expected) => Assert.Equal(expected, Bootstrap.Quantile([1, 2, 3, 4], share), 12);

    [Fact]
    public void Options_OutOfRange_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Bootstrap.Mean([1], new BootstrapOptions { Resamples = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bootstrap.Mean([1], new BootstrapOptions { Level = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Bootstrap.Mean([1], new BootstrapOptions { Level = double.NaN }));
    }

    [Fact]
    public void Stability_SeparatedMethods_NeverChangePlaces()
    {
        double[][] scores = RankCorrelationTests.Table(3, 30, (m, t) => (10 * m) + (t % 4));
        RankingStability higher = RankingStability.Of(scores, MetricDirection.Higher),
            lower = RankingStability.Of(scores, MetricDirection.Lower);
        Assert.Equal([3, 2, 1], higher.Ranks);
        Assert.Equal([1, 2, 3], lower.Ranks);
        Assert.Equal([1, 1, 1], higher.KeepsRank);
        Assert.Equal(1, higher.KeepsOrder);
        Assert.Equal([0.5, 0, 0], higher.Better[0]);
        Assert.Equal([0.5, 1, 1], lower.Better[0]);
        Assert.Equal(2000, higher.Resamples);
    }

    [Fact]
    public void Stability_EqualMethods_ShareTheirRank()
    {
        double[][] scores = RankCorrelationTests.Table(2, 10, (_, t) => t);
        RankingStability equal = RankingStability.Of(scores, MetricDirection.Higher);
        Assert.Equal([1.5, 1.5], equal.Ranks);
        Assert.Equal(1, equal.KeepsOrder);
        Assert.Equal(0.5, equal.Better[0][1]);
    }

    // Method 0 wins on one task of two. A resample of two draws that task 0, 1 or 2 times, with probability 1/4, 1/2, 1/4.
    [Fact]
    public void Stability_TwoTasks_HasTheSharesOfTheFourDraws()
    {
        RankingStability result = RankingStability.Of(
            [
                [3, 0],
                [0, 2],
            ],
            MetricDirection.Higher,
            new BootstrapOptions { Resamples = 20_000 }
        );
        Assert.Equal([1, 2], result.Ranks);
        Assert.Equal(0.75, result.KeepsOrder, 0.02);
        Assert.Equal(0.75, result.Better[0][1], 0.02);
        Assert.Equal(1, result.Better[0][1] + result.Better[1][0], 12);
    }

    [Fact]
    public void Stability_RandomScores_ObeyTheLaws()
    {
        Random random = new(7);
        for (int round = 0; round < 10; round++)
        {
            double[][] scores = RankCorrelationTests.Table(random.Next(2, 6), random.Next(1, 20), (_, _) => random.Next(4));
            RankingStability result = RankingStability.Of(scores, MetricDirection.Lower, new BootstrapOptions { Resamples = 200 });
            int methods = scores.Length;
            Assert.Equal(methods * (methods + 1) / 2.0, result.Ranks.Sum(), 9);
            Assert.All(result.KeepsRank, k => Assert.InRange(k, result.KeepsOrder, 1));
            for (int a = 0; a < methods; a++)
            for (int b = 0; b < methods; b++)
                Assert.Equal(1, result.Better[a][b] + result.Better[b][a], 9);
        }
    }

    [Fact]
    public void Stability_MissingValues_AreLeftOutOfMeansAndRefusedIfAllAre()
    {
        RankingStability result = RankingStability.Of(
            [
                [1, double.NaN],
                [2, 2],
            ],
            MetricDirection.Lower
        );
        Assert.Equal([1, 2], result.Means);
        // Resamples that draw the second task twice lack the first method.
        Assert.InRange(result.Resamples, 1400, 1600);
        Assert.Throws<ArgumentException>(() =>
            RankingStability.Of(
                [
                    [double.NaN],
                    [1],
                ],
                MetricDirection.Lower
            )
        );
        Assert.Throws<ArgumentException>(() =>
            RankingStability.Of(
                [
                    [1],
                ],
                MetricDirection.Lower
            )
        );
        Assert.Throws<ArgumentException>(() =>
            RankingStability.Of(
                [
                    [1, 2],
                    [1],
                ],
                MetricDirection.Lower
            )
        );
    }

    [Fact]
    public void KindScores_MixedTasks_HaveOneMeanPerKind()
    {
        static EditTask Task(string kind) =>
            new()
            {
                Id = kind,
                Kind = kind,
                SourcePrompt = "",
                TargetPrompt = "",
            };
        IReadOnlyList<KindScore> scores = KindScore.Of([Task("b"), Task("a"), Task("b"), Task("a")], [1, double.NaN, 3, 5]);
        Assert.Equal([("b", 2, 2.0), ("a", 1, 5.0)], scores.Select(s => (s.Kind, s.Count, s.Mean.Value)));
        Assert.Throws<ArgumentException>(() => KindScore.Of([Task("a")], []));
    }
}
