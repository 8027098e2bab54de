using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// A benchmark of edits with known true results: pairs of inversion method and editor on the same tasks, compared by several scores, and the usual metrics
/// compared with the truth. Pure statistics of stored results.
/// </summary>
/// <remarks>
/// Means, rankings, comparisons and correlations use the <see cref="Common"/> tasks, which every pair has done: a pair must not win because the hard tasks
/// were refused. Only the breakdown by kinds uses all tasks of a pair.
/// </remarks>
public sealed partial class EditBenchmark
{
    private readonly Dictionary<string, IReadOnlyList<PairedComparison>> _paired = [];
    private readonly Dictionary<string, RankingStability?> _rankings = [];
    private IReadOnlyList<MetricAgreement>? _agreements;

    /// <summary>Puts results together.</summary>
    /// <param name="tasks">The tasks.</param>
    /// <param name="pairs">The pairs, each with a record or null per task.</param>
    /// <param name="metrics">The metrics that do not see the truth.</param>
    /// <param name="bounds">One per task, or none at all; see <see cref="EditBounds"/>.</param>
    /// <param name="options">How intervals are estimated; null for the defaults.</param>
    /// <exception cref="ArgumentException">Numbers of tasks differ, a name appears twice, or an option is out of range.</exception>
    public EditBenchmark(
        IReadOnlyList<EditTask> tasks,
        IReadOnlyList<BenchmarkPair> pairs,
        IReadOnlyList<BenchmarkScore> metrics,
        IReadOnlyList<BenchmarkBound?>? bounds = null,
        BootstrapOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(metrics);
        Bounds = bounds ?? [];
        Options = options ?? new BootstrapOptions();
        Options.Validate();
        if (pairs.FirstOrDefault(p => p.Records.Count != tasks.Count) is { } uneven)
            throw new ArgumentException(
                $"Every pair needs a record or null per task; {uneven.Name} has {uneven.Records.Count} for {tasks.Count} tasks.",
                nameof(pairs)
            );
        if (pairs.GroupBy(p => p.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"Two pairs are called '{twice.Key}'; a benchmark has one setting of T, N, w and seed.", nameof(pairs));
        if (Bounds.Count > 0 && Bounds.Count != tasks.Count)
            throw new ArgumentException($"Give one bound per task or none; got {Bounds.Count} for {tasks.Count} tasks.", nameof(bounds));
        (Tasks, Pairs, Metrics) = (tasks, pairs, metrics);
        Ranked = [.. pairs.Where(p => p.Count(UnitStatus.Done) > 0)];
        Common = Ranked.Count == 0 ? [] : [.. Enumerable.Range(0, tasks.Count).Where(t => Ranked.All(p => p.Done(t) is not null))];
    }

    /// <summary>The tasks.</summary>
    public IReadOnlyList<EditTask> Tasks { get; }

    /// <summary>All pairs, in the order of the study.</summary>
    public IReadOnlyList<BenchmarkPair> Pairs { get; }

    /// <summary>The pairs that have any result; the others do not combine, failed, or were not computed.</summary>
    public IReadOnlyList<BenchmarkPair> Ranked { get; }

    /// <summary>Indices of the tasks that all of <see cref="Ranked"/> have done.</summary>
    public IReadOnlyList<int> Common { get; }

    /// <summary>The metrics that do not see the truth.</summary>
    public IReadOnlyList<BenchmarkScore> Metrics { get; }

    /// <summary>One per task; empty if they are not known.</summary>
    public IReadOnlyList<BenchmarkBound?> Bounds { get; }

    /// <summary>How intervals are estimated.</summary>
    public BootstrapOptions Options { get; }

    /// <summary>The scores of a pair, in the order of tables.</summary>
    public static IReadOnlyList<BenchmarkScore> Scores { get; } =
    [
        BenchmarkScore.Success,
        BenchmarkScore.TruthDistance,
        BenchmarkScore.Preservation,
        BenchmarkScore.Reconstruction,
        BenchmarkScore.Seconds,
        BenchmarkScore.Cost,
    ];

    /// <summary>The benchmark of a study with one data set, one model and one setting.</summary>
    /// <param name="study">The study.</param>
    /// <param name="merged">Its results so far.</param>
    /// <param name="bounds">One per task, or none at all.</param>
    /// <param name="options">How intervals are estimated; null for the defaults.</param>
    /// <exception cref="StudyException">The study has several data sets, models, T, N, w or seeds.</exception>
    public static EditBenchmark Of(Study study, StudyMerge merged, IReadOnlyList<BenchmarkBound?>? bounds = null, BootstrapOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(study);
        ArgumentNullException.ThrowIfNull(merged);
        StudyPlan plan = study.Plan;
        if (((int[])[study.Data.Count, study.Models.Count, plan.Steps.Count, plan.InnerSteps.Count, plan.Guidance.Count, plan.Seeds.Count]).Any(n => n != 1))
            throw new StudyException(
                "A benchmark compares methods and editors on one data set with one model, one T, N, w and seed; this study has several. "
                    + "Use 'nulltext study merge' for it, or run one benchmark for each."
            );
        IReadOnlyList<EditTask> tasks = study.Data[0].Tasks;
        // Units are listed task by task, so that each pair's rows are in the order of the tasks.
        return new EditBenchmark(
            tasks,
            [.. merged.Rows.GroupBy(r => (r.Unit.Method.Name, r.Unit.Editor.Id)).Select(g => new BenchmarkPair(g.Key.Name, g.Key.Id, [.. g.Select(RecordOf)]))],
            [
                .. StudyScore
                    .Of(plan, hasMask: true, hasTruth: true)
                    .Where(s => !s.Column.StartsWith("truth-", StringComparison.Ordinal))
                    .Select(s => BenchmarkScore.OfColumn(s.Column, s.Metric.Direction)),
                BenchmarkScore.Reconstruction,
            ],
            bounds,
            options
        );
    }

    /// <summary>A score of a pair on all tasks; NaN where it has none.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="score">The score.</param>
    public double[] Values(BenchmarkPair pair, BenchmarkScore score) =>
        [.. Enumerable.Range(0, Tasks.Count).Select(t => pair.Done(t) is { } record ? score.Of(record) : double.NaN)];

    /// <summary>The mean of a score over the common tasks.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="score">The score.</param>
    public Estimate Mean(BenchmarkPair pair, BenchmarkScore score)
    {
        double[] values = Values(pair, score);
        return Bootstrap.Mean([.. Common.Select(t => values[t])], Options);
    }

    /// <summary>A score of a pair by kinds of edits, over all tasks that the pair has done.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="score">The score.</param>
    public IReadOnlyList<KindScore> Kinds(BenchmarkPair pair, BenchmarkScore score) => KindScore.Of(Tasks, Values(pair, score), Options);

    /// <summary>The success of the true results after the autoencoder's round trip, over the given tasks; NaN if the bounds are not known.</summary>
    /// <param name="tasks">Indices of tasks.</param>
    public double BoundSuccess(IEnumerable<int> tasks) =>
        MeanBound(
            tasks,
            b =>
                b.Success switch
                {
                    true => 1,
                    false => 0,
                    null => double.NaN,
                }
        );

    /// <summary>The distance to the truth that the autoencoder leaves, over the given tasks; NaN if the bounds are not known.</summary>
    /// <param name="tasks">Indices of tasks.</param>
    public double BoundDistance(IEnumerable<int> tasks) => MeanBound(tasks, b => b.TruthDistance);

    /// <summary>The distance to the truth without any edit, over the given tasks; NaN if the bounds are not known.</summary>
    /// <param name="tasks">Indices of tasks.</param>
    public double NoEditDistance(IEnumerable<int> tasks) => MeanBound(tasks, b => b.NoEditDistance);

    /// <summary>How stable the ranking of the pairs by a score is, in the order of <see cref="Ranked"/>; null for fewer than two pairs with values.</summary>
    /// <param name="score">The score.</param>
    public RankingStability? Ranking(BenchmarkScore score)
    {
        if (!_rankings.TryGetValue(score.Id, out RankingStability? ranking))
            _rankings[score.Id] = ranking = Comparable(score) is { } table ? RankingStability.Of(table, score.Direction, Options) : null;
        return ranking;
    }

    /// <summary>All two pairs compared on the common tasks by a score; empty for fewer than two pairs with values.</summary>
    /// <param name="score">The score.</param>
    public IReadOnlyList<PairedComparison> Paired(BenchmarkScore score)
    {
        if (!_paired.TryGetValue(score.Id, out IReadOnlyList<PairedComparison>? paired))
            _paired[score.Id] = paired = Comparable(score) is { } table
                ?
                [
                    .. from i in Enumerable.Range(0, table.Length)
                    from j in Enumerable.Range(i + 1, table.Length - i - 1)
                    select new PairedComparison(Ranked[i], Ranked[j], Bootstrap.MeanDifference(table[i], table[j], Options)),
                ]
                : [];
        return paired;
    }

    /// <summary>The pairs that no cheaper pair equals, by their means: the best for each budget, cheapest first.</summary>
    /// <param name="score">The score.</param>
    public IReadOnlyList<BenchmarkPair> Front(BenchmarkScore score)
    {
        List<BenchmarkPair> front = [];
        double best = double.NegativeInfinity;
        foreach (
            (BenchmarkPair pair, _, double value) in Ranked
                .Select(p => (Pair: p, Cost: MeanOf(p, BenchmarkScore.Cost), Value: Sign(score) * MeanOf(p, score)))
                .Where(p => !double.IsNaN(p.Value))
                .OrderBy(p => p.Cost)
                .ThenByDescending(p => p.Value)
        )
        {
            if (value > best)
            {
                front.Add(pair);
                best = value;
            }
        }
        return front;
    }

    /// <summary>Every metric that does not see the truth, against the distance to the truth, on the common tasks.</summary>
    public IReadOnlyList<MetricAgreement> Agreements() => _agreements ??= [.. Metrics.Select(Agreement)];

    private MetricAgreement Agreement(BenchmarkScore metric)
    {
        double[][] ofMetric = Oriented(metric),
            ofTruth = Oriented(BenchmarkScore.TruthDistance);
        // Both on the same tasks: a metric outside the mask has none where everything may change.
        foreach ((double[] m, double[] t) in ofMetric.Zip(ofTruth))
        {
            for (int i = 0; i < m.Length; i++)
            {
                if (double.IsNaN(m[i]) || double.IsNaN(t[i]))
                    m[i] = t[i] = double.NaN;
            }
        }
        bool areRanked = ofMetric.Length > 1 && ofMetric.All(row => row.Any(v => !double.IsNaN(v)));
        double[] within = [.. Enumerable.Range(0, Common.Count).Select(t => Rho([.. ofMetric.Select(r => r[t])], [.. ofTruth.Select(r => r[t])]))];
        return new MetricAgreement(
            metric,
            areRanked ? RankCorrelation.OverMethods(ofMetric, ofTruth, Options) : null,
            Bootstrap.Of(Common.Count, OverTasks, Options),
            Bootstrap.Mean(within, Options)
        );

        double OverTasks(int[] draw)
        {
            double[] known =
            [
                .. ofMetric.Zip(ofTruth, (m, t) => Rho([.. draw.Select(i => m[i])], [.. draw.Select(i => t[i])])).Where(rho => !double.IsNaN(rho)),
            ];
            return known.Length == 0 ? double.NaN : known.Average();
        }
    }

    /// <summary>Spearman's rho of what has both values; NaN for fewer than two, or if all values are equal.</summary>
    private static double Rho(double[] first, double[] second)
    {
        int[] known = [.. Enumerable.Range(0, first.Length).Where(i => !double.IsNaN(first[i]) && !double.IsNaN(second[i]))];
        return known.Length < 2 ? double.NaN : RankCorrelation.Spearman([.. known.Select(i => first[i])], [.. known.Select(i => second[i])]);
    }

    /// <summary>[ranked pairs][common tasks], higher is better.</summary>
    private double[][] Oriented(BenchmarkScore score) => [.. Table(score).Select(row => row.Select(v => Sign(score) * v).ToArray())];

    private double[][] Table(BenchmarkScore score) => [.. Ranked.Select(p => Common.Select(t => score.Of(p.Done(t)!)).ToArray())];

    /// <summary>The table of a score, if rankings can be made of it.</summary>
    private double[][]? Comparable(BenchmarkScore score) =>
        Table(score) is { Length: > 1 } table && table.All(row => row.Any(v => !double.IsNaN(v))) ? table : null;

    private double MeanOf(BenchmarkPair pair, BenchmarkScore score) => Known(Common.Select(t => score.Of(pair.Done(t)!)));

    private double MeanBound(IEnumerable<int> tasks, Func<BenchmarkBound, double> of) =>
        Known(tasks.Where(t => t < Bounds.Count).Select(t => Bounds[t]).OfType<BenchmarkBound>().Select(of));

    private static double Known(IEnumerable<double> values) => values.Where(v => !double.IsNaN(v)).DefaultIfEmpty(double.NaN).Average();

    private static double Sign(BenchmarkScore score) => score.Direction == MetricDirection.Higher ? 1 : -1;

    private static UnitRecord? RecordOf(StudyRow row) =>
        row.Status switch
        {
            UnitStatus.Missing => null,
            // Refused before anything was computed: there is no file.
            UnitStatus.Refused when row.Record is null => new UnitRecord
            {
                Status = UnitStatus.Refused,
                Reason = row.Reason,
                Slot = row.Unit.Slot,
            },
            _ => row.Record,
        };
}
