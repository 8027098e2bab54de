using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>How much a ranking of methods depends on which tasks were used: shares of bootstrap resamples of the tasks.</summary>
/// <remarks>All methods are compared on the same drawn tasks, so a task that is hard for all of them does not count as uncertainty.</remarks>
public sealed record RankingStability
{
    private RankingStability() { }

    /// <summary>Every method's mean over all tasks; tasks without a value are left out.</summary>
    public required IReadOnlyList<double> Means { get; init; }

    /// <summary>Every method's rank by that mean: 1 is best, ties have their average rank.</summary>
    public required IReadOnlyList<double> Ranks { get; init; }

    /// <summary>For every method, the share of resamples in which it has the same rank, 0 to 1.</summary>
    public required IReadOnlyList<double> KeepsRank { get; init; }

    /// <summary>
    /// [a][b]: the share of resamples in which method a is better than method b, 0 to 1; a tie counts half, so [a][b] + [b][a] = 1. The diagonal is 0.5.
    /// </summary>
    public required IReadOnlyList<IReadOnlyList<double>> Better { get; init; }

    /// <summary>Share of resamples in which all methods have the same ranks, 0 to 1.</summary>
    public required double KeepsOrder { get; init; }

    /// <summary>Number of resamples that count; those in which a method has no value do not.</summary>
    public required int Resamples { get; init; }

    /// <summary>Resamples the tasks.</summary>
    /// <param name="scores">[methods][tasks], at least two methods; NaN where a task has no value.</param>
    /// <param name="direction">Whether higher or lower scores are better.</param>
    /// <param name="options">How; null for the defaults. The level is not used.</param>
    /// <exception cref="ArgumentException">
    /// There are fewer than two methods, rows differ in length, a method has no value, every resample lacks a value, or an option is out of range.
    /// </exception>
    public static RankingStability Of(IReadOnlyList<IReadOnlyList<double>> scores, MetricDirection direction, BootstrapOptions? options = null)
    {
        int tasks = MethodScores.Check(scores),
            methods = scores.Count;
        options ??= new BootstrapOptions();
        options.Validate();
        double[] means = MethodScores.Means(scores, [.. Enumerable.Range(0, tasks)]),
            ranks = RanksOf(means, direction);
        int[] keeps = new int[methods];
        double[][] better = [.. Enumerable.Range(0, methods).Select(_ => new double[methods])];
        int same = 0,
            count = 0;
        foreach (int[] draw in Bootstrap.Draws(tasks, options))
        {
            double[] drawn = MethodScores.Means(scores, draw);
            if (drawn.Any(double.IsNaN))
                continue;
            count++;
            double[] now = RanksOf(drawn, direction);
            bool all = true;
            for (int a = 0; a < methods; a++)
            {
                bool keeping = now[a].Equals(ranks[a]);
                all &= keeping;
                keeps[a] += keeping ? 1 : 0;
                for (int b = 0; b < methods; b++)
                    better[a][b] +=
                        now[a] < now[b] ? 1
                        : now[a] > now[b] ? 0
                        : 0.5;
            }

            same += all ? 1 : 0;
        }

        if (count == 0)
            throw new ArgumentException("In every resample some method has no value: leave out methods with few values.", nameof(scores));
        return new RankingStability
        {
            Means = means,
            Ranks = ranks,
            KeepsRank = [.. keeps.Select(k => (double)k / count)],
            Better = [.. better.Select(row => (IReadOnlyList<double>)[.. row.Select(b => b / count)])],
            KeepsOrder = (double)same / count,
            Resamples = count,
        };
    }

    private static double[] RanksOf(double[] means, MetricDirection direction) =>
        RankCorrelation.Ranks(direction == MetricDirection.Lower ? means : [.. means.Select(m => -m)]);
}
