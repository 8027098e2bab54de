using NullTextResearch.Scenes;

namespace NullTextResearch.Benchmarks;

/// <summary>Percentile bootstrap over tasks: how much a statistic would vary with other tasks of the same kind.</summary>
/// <remarks>
/// Efron 1979. The intervals cover the choice of tasks, nothing else: not the seeds of sampling, not the training of the model. With fewer than about 20 tasks
/// they are too narrow.
/// </remarks>
public static class Bootstrap
{
    /// <summary>The mean of values.</summary>
    /// <param name="values">One per task; NaN where a task has no value, as a kept region that is empty: such tasks are left out.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>The mean and its interval; NaN if there is no value.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static Estimate Mean(IReadOnlyList<double> values, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(values);
        double[] known = [.. values.Where(v => !double.IsNaN(v))];
        return Of(known.Length, draw => draw.Length == 0 ? double.NaN : draw.Average(i => known[i]), options);
    }

    /// <summary>The mean of the differences of two series on the same tasks, first minus second.</summary>
    /// <param name="first">One value per task; NaN where there is none.</param>
    /// <param name="second">The same number of values. A task that lacks either value is left out.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentException">The series differ in length, or an option is out of range.</exception>
    public static Estimate MeanDifference(IReadOnlyList<double> first, IReadOnlyList<double> second, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count)
            throw new ArgumentException($"Paired series need the same length; got {first.Count} and {second.Count}.", nameof(second));
        return Mean([.. first.Zip(second, (a, b) => a - b)], options);
    }

    /// <summary>Any statistic of tasks.</summary>
    /// <param name="count">Number of tasks, at least 0.</param>
    /// <param name="statistic">
    /// Computes the statistic from indices of tasks: 0 to <paramref name="count"/> - 1 in order for the value itself, then drawn with replacement. The array is
    /// reused. Resamples for which it returns NaN are left out of the interval.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public static Estimate Of(int count, Func<int[], double> statistic, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(statistic);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        options ??= new BootstrapOptions();
        options.Validate();
        double value = statistic([.. Enumerable.Range(0, count)]);
        List<double> found = count == 0 ? [] : [.. Draws(count, options).Select(statistic).Where(v => !double.IsNaN(v))];
        return Interval(value, found, options.Level);
    }

    /// <summary>Draws tasks with replacement. The same array is returned each time.</summary>
    /// <param name="count">Number of tasks, at least 1.</param>
    /// <param name="options">How often, and from which seed.</param>
    internal static IEnumerable<int[]> Draws(int count, BootstrapOptions options)
    {
        SceneRandom random = new(options.Seed);
        int[] draw = new int[count];
        for (int r = 0; r < options.Resamples; r++)
        {
            for (int i = 0; i < count; i++)
                draw[i] = random.Index(count);
            yield return draw;
        }
    }

    /// <summary>The percentile interval of resampled values.</summary>
    internal static Estimate Interval(double value, List<double> resampled, double level)
    {
        if (resampled.Count == 0)
            return new Estimate(value, double.NaN, double.NaN);
        resampled.Sort();
        double tail = (1 - level) / 2;
        return new Estimate(value, Quantile(resampled, tail), Quantile(resampled, 1 - tail));
    }

    /// <summary>A quantile of ascending values, linear between neighbours (Hyndman and Fan 1996, type 7, as in NumPy).</summary>
    internal static double Quantile(IReadOnlyList<double> ascending, double share)
    {
        double at = share * (ascending.Count - 1);
        int below = (int)at;
        double low = ascending[below],
            high = ascending[Math.Min(below + 1, ascending.Count - 1)],
            part = at - below;
        // A PSNR may be infinite, and infinity times 0 is not a number.
        return part == 0 || low.Equals(high) ? low : low + (part * (high - low));
    }
}
