namespace NullTextResearch.Benchmarks;

/// <summary>Tables of scores [methods][tasks].</summary>
internal static class MethodScores
{
    /// <summary>Checks a table and returns its number of tasks.</summary>
    /// <exception cref="ArgumentException">It has fewer than two methods, its rows differ in length, or a method has no value.</exception>
    public static int Check(IReadOnlyList<IReadOnlyList<double>> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Count < 2)
            throw new ArgumentException($"A ranking needs at least two methods; got {scores.Count}.", nameof(scores));
        int tasks = scores[0].Count;
        for (int m = 0; m < scores.Count; m++)
        {
            if (scores[m].Count != tasks)
                throw new ArgumentException(
                    $"All methods need the same tasks; method {m} has {scores[m].Count} and method 0 has {tasks}. Use NaN where a task has no value.",
                    nameof(scores)
                );
            if (scores[m].All(double.IsNaN))
                throw new ArgumentException($"Method {m} has no value on any of {tasks} tasks, so it has no rank: leave it out.", nameof(scores));
        }

        return tasks;
    }

    /// <summary>Every method's mean over some tasks, without those that have no value; NaN if none has one.</summary>
    public static double[] Means(IReadOnlyList<IReadOnlyList<double>> scores, int[] tasks)
    {
        double[] means = new double[scores.Count];
        for (int m = 0; m < means.Length; m++)
        {
            IReadOnlyList<double> row = scores[m];
            double sum = 0;
            int known = 0;
            foreach (int t in tasks)
            {
                if (double.IsNaN(row[t]))
                    continue;
                sum += row[t];
                known++;
            }

            means[m] = known == 0 ? double.NaN : sum / known;
        }

        return means;
    }
}
