namespace NullTextResearch.Benchmarks;

/// <summary>
/// Whether a metric that does not see the truth ranks edits as their distance to the truth does: Spearman's rho of "better by the metric" and "nearer to the
/// truth". 1 is the same order, -1 the opposite one.
/// </summary>
/// <param name="Metric">The metric.</param>
/// <param name="OverPairs">Over the means of pairs of method and editor: does it name the better method? Null for fewer than two pairs.</param>
/// <param name="OverTasks">Over the tasks of one pair, mean of all pairs: does it name the tasks that went well?</param>
/// <param name="WithinTasks">Over the pairs on one task, mean of all tasks: does it name the best edit of a picture?</param>
public sealed record MetricAgreement(BenchmarkScore Metric, RankCorrelation? OverPairs, Estimate OverTasks, Estimate WithinTasks);
