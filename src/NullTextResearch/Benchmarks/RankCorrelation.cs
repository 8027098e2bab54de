namespace NullTextResearch.Benchmarks;

/// <summary>Whether two scores order the same things in the same way: Spearman's rho and Kendall's tau-b, with bootstrap intervals over tasks.</summary>
/// <param name="Count">Number of things that are ordered: tasks or methods.</param>
/// <param name="Rho">Spearman's rho, -1 to 1; NaN if all values of a score are equal.</param>
/// <param name="Tau">Kendall's tau-b, -1 to 1; NaN if all values of a score are equal.</param>
/// <remarks>
/// Ties have their average rank in rho, and tau-b corrects for them. With few methods both are coarse: four methods allow only 24 orders, so look at the
/// interval.
/// </remarks>
public sealed record RankCorrelation(int Count, Estimate Rho, Estimate Tau)
{
    /// <summary>Spearman's rho: Pearson's correlation of the ranks.</summary>
    /// <param name="first">Values, at least 2; none is NaN.</param>
    /// <param name="second">The same number of values.</param>
    /// <returns>-1 to 1; NaN if all values of a series are equal.</returns>
    /// <exception cref="ArgumentException">The series differ in length, are too short, or have a NaN.</exception>
    public static double Spearman(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        Check(first, second);
        return Pearson(Ranks(first), Ranks(second));
    }

    /// <summary>
    /// Kendall's tau-b: pairs in the same order minus pairs in opposite order, over the geometric mean of the pairs that are no ties in each series.
    /// </summary>
    /// <param name="first">Values, at least 2; none is NaN.</param>
    /// <param name="second">The same number of values.</param>
    /// <returns>-1 to 1; NaN if all values of a series are equal.</returns>
    /// <exception cref="ArgumentException">The series differ in length, are too short, or have a NaN.</exception>
    public static double Kendall(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        Check(first, second);
        return TauB(first, second);
    }

    /// <summary>The ranks of values: 1 for the smallest, average ranks for ties.</summary>
    /// <param name="values">Any number of values; none is NaN.</param>
    public static double[] Ranks(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        double[] ranks = new double[order.Length];
        for (int from = 0, to; from < order.Length; from = to)
        {
            to = from + 1;
            while (to < order.Length && values[order[to]].Equals(values[order[from]]))
                to++;
            for (int i = from; i < to; i++)
                ranks[order[i]] = (from + 1 + to) / 2.0;
        }

        return ranks;
    }

    /// <summary>Two scores of one method, over tasks: do they call the same tasks hard?</summary>
    /// <param name="first">One value per task, at least 2; NaN where there is none.</param>
    /// <param name="second">The same tasks. A task that lacks either value is left out.</param>
    /// <param name="options">How; null for the defaults. Tasks are drawn with both their values.</param>
    /// <exception cref="ArgumentException">The series differ in length, fewer than two tasks have both values, or an option is out of range.</exception>
    public static RankCorrelation OverTasks(IReadOnlyList<double> first, IReadOnlyList<double> second, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count)
            throw new ArgumentException($"Two scores of the same tasks need the same length; got {first.Count} and {second.Count}.", nameof(second));
        int[] known = [.. Enumerable.Range(0, first.Count).Where(i => !double.IsNaN(first[i]) && !double.IsNaN(second[i]))];
        if (known.Length < 2)
            throw new ArgumentException(
                $"A rank correlation needs at least two tasks with both scores; {known.Length} of {first.Count} have both.",
                nameof(first)
            );
        double[] a = [.. known.Select(i => first[i])],
            b = [.. known.Select(i => second[i])];
        return Of(known.Length, Resampled(known.Length, options, draw => ([.. draw.Select(i => a[i])], [.. draw.Select(i => b[i])])), (a, b), options);
    }

    /// <summary>Two scores over methods, on the same tasks: do they rank the methods alike?</summary>
    /// <param name="first">[methods][tasks], at least two methods and one task; NaN where a task has no value, which its mean leaves out.</param>
    /// <param name="second">The same methods and tasks by another score.</param>
    /// <param name="options">How; null for the defaults. The same tasks are drawn for all methods and both scores.</param>
    /// <remarks>Both scores are taken as they are: if one is better when higher and the other when lower, agreement is negative.</remarks>
    /// <exception cref="ArgumentException">The tables differ in shape, a method has no value, or an option is out of range.</exception>
    public static RankCorrelation OverMethods(
        IReadOnlyList<IReadOnlyList<double>> first,
        IReadOnlyList<IReadOnlyList<double>> second,
        BootstrapOptions? options = null
    )
    {
        int tasks = MethodScores.Check(first);
        if (MethodScores.Check(second) != tasks || first.Count != second.Count)
            throw new ArgumentException(
                $"Two scores of the same methods and tasks need tables of the same shape; got {first.Count} x {tasks} and {second.Count} x {second[0].Count}.",
                nameof(second)
            );
        int[] all = [.. Enumerable.Range(0, tasks)];
        return Of(
            first.Count,
            Resampled(tasks, options, draw => (MethodScores.Means(first, draw), MethodScores.Means(second, draw))),
            (MethodScores.Means(first, all), MethodScores.Means(second, all)),
            options
        );
    }

    /// <summary>One score over methods, on two data sets: do both rank the methods alike?</summary>
    /// <param name="first">[methods][tasks of the first data set], at least two methods; NaN where a task has no value.</param>
    /// <param name="second">[methods][tasks of the second data set], the same methods.</param>
    /// <param name="options">How; null for the defaults. Tasks are drawn from each data set by itself, the same ones for all methods.</param>
    /// <exception cref="ArgumentException">The number of methods differs, a method has no value, or an option is out of range.</exception>
    public static RankCorrelation BetweenDatasets(
        IReadOnlyList<IReadOnlyList<double>> first,
        IReadOnlyList<IReadOnlyList<double>> second,
        BootstrapOptions? options = null
    )
    {
        int firstTasks = MethodScores.Check(first),
            secondTasks = MethodScores.Check(second);
        if (first.Count != second.Count)
            throw new ArgumentException($"The same methods are needed on both data sets; got {first.Count} and {second.Count}.", nameof(second));
        options ??= new BootstrapOptions();
        options.Validate();
        // Another seed: the data sets' draws must not be coupled.
        BootstrapOptions other = options with
        {
            Seed = unchecked(options.Seed + 1),
        };
        IEnumerable<(double[] A, double[] B)> resampled = Bootstrap
            .Draws(firstTasks, options)
            .Zip(Bootstrap.Draws(secondTasks, other), (a, b) => (MethodScores.Means(first, a), MethodScores.Means(second, b)));
        return Of(
            first.Count,
            resampled,
            (MethodScores.Means(first, [.. Enumerable.Range(0, firstTasks)]), MethodScores.Means(second, [.. Enumerable.Range(0, secondTasks)])),
            options
        );
    }

    private static IEnumerable<(double[] A, double[] B)> Resampled(int tasks, BootstrapOptions? options, Func<int[], (double[] A, double[] B)> draw)
    {
        options ??= new BootstrapOptions();
        options.Validate();
        return Bootstrap.Draws(tasks, options).Select(draw);
    }

    private static RankCorrelation Of(int count, IEnumerable<(double[] A, double[] B)> resampled, (double[] A, double[] B) all, BootstrapOptions? options)
    {
        List<double> rhos = [],
            taus = [];
        foreach ((double[] a, double[] b) in resampled)
        {
            // A method without a value in this resample has no rank.
            if (a.Any(double.IsNaN) || b.Any(double.IsNaN))
                continue;
            double rho = Pearson(Ranks(a), Ranks(b));
            // Both are undefined for the same resamples: those in which all values of a series are equal.
            if (double.IsNaN(rho))
                continue;
            rhos.Add(rho);
            taus.Add(TauB(a, b));
        }

        double level = (options ?? new BootstrapOptions()).Level;
        return new RankCorrelation(
            count,
            Bootstrap.Interval(Pearson(Ranks(all.A), Ranks(all.B)), rhos, level),
            Bootstrap.Interval(TauB(all.A, all.B), taus, level)
        );
    }

    private static double Pearson(double[] a, double[] b)
    {
        double meanA = a.Average(),
            meanB = b.Average(),
            ab = 0,
            aa = 0,
            bb = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double x = a[i] - meanA,
                y = b[i] - meanB;
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }

        return aa == 0 || bb == 0 ? double.NaN : Math.Clamp(ab / Math.Sqrt(aa * bb), -1, 1);
    }

    private static double TauB(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        long balance = 0,
            ofA = 0,
            ofB = 0;
        for (int i = 0; i < a.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                int x = a[i].CompareTo(a[j]),
                    y = b[i].CompareTo(b[j]);
                balance += x * y;
                ofA += x * x;
                ofB += y * y;
            }
        }

        return ofA == 0 || ofB == 0 ? double.NaN : Math.Clamp(balance / (Math.Sqrt(ofA) * Math.Sqrt(ofB)), -1, 1);
    }

    private static void Check(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.Count != second.Count)
            throw new ArgumentException($"A rank correlation needs two series of the same length; got {first.Count} and {second.Count}.", nameof(second));
        if (first.Count < 2)
            throw new ArgumentException($"A rank correlation needs at least two values; got {first.Count}.", nameof(first));
        if (first.Any(double.IsNaN) || second.Any(double.IsNaN))
            throw new ArgumentException("NaN has no rank: leave out what has no value in both series.", nameof(first));
    }
}
