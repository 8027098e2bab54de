using NullTextResearch.Benchmarks;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public class RankCorrelationTests
{
    [Fact]
    public void Ranks_Ties_HaveTheirAverage()
    {
        Assert.Equal([2.5, 1, 2.5, 4], RankCorrelation.Ranks([5, 3, 5, 9]));
        Assert.Equal([2, 2, 2], RankCorrelation.Ranks([1, 1, 1]));
        Assert.Empty(RankCorrelation.Ranks([]));
    }

    // By hand. Without ties: d = (0, 1, -1, 0), rho = 1 - 6 * 2 / (4 * 15) = 0.8; one of six pairs is reversed, tau = (5 - 1) / 6.
    [Fact]
    public void Correlations_WithoutTies_AreThoseOfTheFormulas()
    {
        double[] a = [1, 2, 3, 4],
            b = [10, 30, 20, 40];
        Assert.Equal(0.8, RankCorrelation.Spearman(a, b), 12);
        Assert.Equal(4.0 / 6, RankCorrelation.Kendall(a, b), 12);
    }

    // By hand. Ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4): centred products 2.25 + 0 + 0 + 2.25 = 4.5, squares 4.5 and 5. Pairs: five not tied in a, all in the
    // same order; six not tied in b. tau-b = 5 / sqrt(5 * 6).
    [Fact]
    public void Correlations_WithTies_AreCorrected()
    {
        double[] a = [1, 2, 2, 4],
            b = [1, 3, 2, 4];
        Assert.Equal(4.5 / Math.Sqrt(4.5 * 5), RankCorrelation.Spearman(a, b), 12);
        Assert.Equal(5 / Math.Sqrt(30), RankCorrelation.Kendall(a, b), 12);
    }

    [Fact]
    public void Correlations_RandomSeries_ObeyTheLaws()
    {
        Random random = new(4);
        for (int round = 0; round < 50; round++)
        {
            int count = random.Next(2, 30);
            double[] a = [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(6))],
                b = [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(6))];
            if (a.Distinct().Count() == 1 || b.Distinct().Count() == 1)
                continue;
            foreach (
                Func<IReadOnlyList<double>, IReadOnlyList<double>, double> of in (Func<IReadOnlyList<double>, IReadOnlyList<double>, double>[])
                    [RankCorrelation.Spearman, RankCorrelation.Kendall]
            )
            {
                double value = of(a, b);
                Assert.InRange(value, -1, 1);
                Assert.Equal(value, of(b, a), 12);
                Assert.Equal(-value, of([.. a.Select(x => -x)], b), 12);
                // Only the order counts.
                Assert.Equal(value, of([.. a.Select(Math.Exp)], b), 12);
                Assert.Equal(1, of(a, a), 12);
            }
        }
    }

    [Fact]
    public void Correlations_Undefined_AreNaNOrRefused()
    {
        Assert.True(double.IsNaN(RankCorrelation.Spearman([1, 1], [1, 2])));
        Assert.True(double.IsNaN(RankCorrelation.Kendall([1, 2], [3, 3])));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1], [1]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Kendall([1, 2], [1, 2, 3]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.Spearman([1, double.NaN], [1, 2]));
        Assert.Throws<ArgumentException>(() => RankCorrelation.OverTasks([1, double.NaN], [1, 2]));
    }

    [Fact]
    public void OverTasks_TasksWithoutAValue_AreLeftOut_AndTheSeedDecides()
    {
        double[] a = [1, 2, 3, double.NaN, 4, 5, 6, 7],
            b = [2, 1, 3, 0, 4, double.NaN, 7, 6];
        RankCorrelation result = RankCorrelation.OverTasks(a, b);
        Assert.Equal(6, result.Count);
        Assert.Equal(RankCorrelation.Spearman([1, 2, 3, 4, 6, 7], [2, 1, 3, 4, 7, 6]), result.Rho.Value, 12);
        Assert.InRange(result.Rho.Value, result.Rho.Low, result.Rho.High);
        Assert.InRange(result.Tau.Value, result.Tau.Low, result.Tau.High);
        Assert.Equal(result, RankCorrelation.OverTasks(a, b));
        Assert.NotEqual(result.Rho, RankCorrelation.OverTasks(a, b, new BootstrapOptions { Seed = 2 }).Rho);
    }

    [Fact]
    public void OverMethods_ClearlySeparatedMethods_CorrelateInEveryResample()
    {
        double[][] first = Table(3, 40, (m, t) => (10 * m) + (t % 3)),
            second = Table(3, 40, (m, t) => (5 * m) - (t % 2));
        RankCorrelation same = RankCorrelation.OverMethods(first, second);
        Assert.Equal(new Estimate(1, 1, 1), same.Rho);
        Assert.Equal(new Estimate(1, 1, 1), same.Tau);
        Assert.Equal(3, same.Count);
        double[][] reversed = Table(3, 25, (m, t) => (-5 * m) - (t % 2));
        Assert.Equal(-1, RankCorrelation.BetweenDatasets(first, reversed).Tau.High);
        Assert.Throws<ArgumentException>(() => RankCorrelation.OverMethods(first, reversed));
        Assert.Throws<ArgumentException>(() => RankCorrelation.BetweenDatasets(first, [.. reversed.Take(2)]));
    }

    [Fact]
    public void OverMethods_MethodsThatOnlyNoiseSeparates_HaveAWideInterval()
    {
        Random random = new(1);
        double[][] noise = Table(5, 30, (_, _) => random.NextDouble()),
            other = Table(5, 30, (_, _) => random.NextDouble());
        RankCorrelation result = RankCorrelation.OverMethods(noise, other);
        Assert.InRange(result.Rho.High - result.Rho.Low, 0.5, 2);
    }

    internal static double[][] Table(int methods, int tasks, Func<int, int, double> value) =>
        [.. Enumerable.Range(0, methods).Select(m => Enumerable.Range(0, tasks).Select(t => value(m, t)).ToArray())];
}
