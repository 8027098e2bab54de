namespace NullTextResearch.Benchmarks;

/// <summary>The mean score of one kind of edits.</summary>
/// <param name="Kind">The kind, as in <see cref="EditTask.Kind"/>.</param>
/// <param name="Count">Number of its tasks that have a value.</param>
/// <param name="Mean">Their mean with its bootstrap interval over tasks; NaN if none has a value.</param>
public sealed record KindScore(string Kind, int Count, Estimate Mean)
{
    /// <summary>Breaks a score down by kinds.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="values">One value for each; NaN where a task has none.</param>
    /// <param name="options">How intervals are estimated; null for the defaults.</param>
    /// <returns>One entry per kind, in the order in which the tasks first show them.</returns>
    /// <exception cref="ArgumentException">The numbers of tasks and values differ, or an option is out of range.</exception>
    public static IReadOnlyList<KindScore> Of(IReadOnlyList<EditTask> tasks, IReadOnlyList<double> values, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(values);
        if (tasks.Count != values.Count)
            throw new ArgumentException($"Every task needs one value; got {tasks.Count} tasks and {values.Count} values.", nameof(values));
        return
        [
            .. tasks
                .Zip(values, (task, value) => (task.Kind, Value: value))
                .GroupBy(t => t.Kind, t => t.Value, StringComparer.Ordinal)
                .Select(g => new KindScore(g.Key, g.Count(v => !double.IsNaN(v)), Bootstrap.Mean([.. g], options))),
        ];
    }
}
