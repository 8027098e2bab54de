using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Benchmarks;

/// <content>The benchmark as tables and JSON.</content>
public sealed partial class EditBenchmark
{
    private static readonly JsonSerializerOptions Json = new(StoredJson.Plain)
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// A row per pair: counts, every score's mean over the common tasks with its interval, and ranks by success and by distance to the truth.
    /// </summary>
    public StudyTable PairsTable()
    {
        BenchmarkScore[] ranked = [BenchmarkScore.Success, BenchmarkScore.TruthDistance];
        return new StudyTable(
            [
                "method",
                "editor",
                "done",
                "refused",
                "failed",
                "missing",
                "common-tasks",
                .. Scores.SelectMany(s => (string[])[s.Id, $"{s.Id}-low", $"{s.Id}-high"]),
                .. ranked.SelectMany(s => (string[])[$"rank-{s.Id}", $"keeps-rank-{s.Id}"]),
            ],
            [
                .. Pairs.Select(pair =>
                {
                    int place = Place(pair);
                    return (IReadOnlyList<string>)
                        [
                            pair.Method,
                            pair.Editor,
                            .. ((UnitStatus[])[UnitStatus.Done, UnitStatus.Refused, UnitStatus.Failed, UnitStatus.Missing]).Select(s => Text(pair.Count(s))),
                            Text(place < 0 ? 0 : Common.Count),
                            .. Scores.SelectMany(s => Texts(place < 0 ? Nothing : Mean(pair, s))),
                            .. ranked.SelectMany(s =>
                                place >= 0 && Ranking(s) is { } r ? (string[])[Text(r.Ranks[place]), Text(r.KeepsRank[place])] : ["", ""]
                            ),
                        ];
                }),
            ]
        );
    }

    /// <summary>A row per pair, kind of edits and score: number of tasks, mean and interval; beside the success, the bound that the autoencoder sets.</summary>
    public StudyTable KindsTable() =>
        new(
            ["method", "editor", "kind", "score", "tasks", "mean", "low", "high", "bound"],
            [
                .. from pair in Ranked
                from score in (BenchmarkScore[])[BenchmarkScore.Success, BenchmarkScore.TruthDistance, BenchmarkScore.Preservation]
                from kind in Kinds(pair, score)
                select (IReadOnlyList<string>)
                    [
                        pair.Method,
                        pair.Editor,
                        kind.Kind,
                        score.Id,
                        Text(kind.Count),
                        .. Texts(kind.Mean),
                        Text(
                            score == BenchmarkScore.Success ? BoundSuccess(TasksOf(kind.Kind))
                            : score == BenchmarkScore.TruthDistance ? BoundDistance(TasksOf(kind.Kind))
                            : double.NaN
                        ),
                    ],
            ]
        );

    /// <summary>A row per score and two pairs: the mean of first minus second on the common tasks, with its interval.</summary>
    public StudyTable PairedTable() =>
        new(
            ["score", "first-method", "first-editor", "second-method", "second-editor", "difference", "low", "high"],
            [
                .. from score in (BenchmarkScore[])[BenchmarkScore.Success, BenchmarkScore.TruthDistance]
                from c in Paired(score)
                select (IReadOnlyList<string>)[score.Id, c.First.Method, c.First.Editor, c.Second.Method, c.Second.Editor, .. Texts(c.Difference)],
            ]
        );

    /// <summary>A row per metric that does not see the truth: its rank correlations with the nearness to the truth, with intervals.</summary>
    public StudyTable MetricsTable() =>
        new(
            [
                "metric",
                "better",
                .. ((string[])["pairs-rho", "pairs-tau", "tasks-rho", "within-tasks-rho"]).SelectMany(n => (string[])[n, $"{n}-low", $"{n}-high"]),
            ],
            [
                .. Agreements()
                    .Select(a =>
                        (IReadOnlyList<string>)
                            [
                                a.Metric.Id,
                                a.Metric.Direction.ToString().ToLowerInvariant(),
                                .. ((Estimate[])[a.OverPairs?.Rho ?? Nothing, a.OverPairs?.Tau ?? Nothing, a.OverTasks, a.WithinTasks]).SelectMany(Texts),
                            ]
                    ),
            ]
        );

    /// <summary>Everything as JSON: the tables, the bounds per task, and how intervals were estimated.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new
            {
                Tasks = Tasks.Select(
                    (t, i) =>
                        new
                        {
                            t.Id,
                            t.Kind,
                            t.SourcePrompt,
                            t.TargetPrompt,
                            IsCommon = Common.Contains(i),
                            Bound = i < Bounds.Count ? Bounds[i] : null,
                        }
                ),
                Intervals = Options,
                Pairs = Records(PairsTable()),
                Kinds = Records(KindsTable()),
                Paired = Records(PairedTable()),
                Metrics = Records(MetricsTable()),
            },
            Json
        ) + "\n";

    /// <summary>Indices of the tasks of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public IEnumerable<int> TasksOf(string kind) => Enumerable.Range(0, Tasks.Count).Where(t => Tasks[t].Kind == kind);

    private static Estimate Nothing => new(double.NaN, double.NaN, double.NaN);

    private int Place(BenchmarkPair pair) => Ranked.ToList().IndexOf(pair);

    // Numbers as numbers, and what has no value not at all.
    private static IEnumerable<Dictionary<string, object>> Records(StudyTable table) =>
        table.Rows.Select(row =>
            table
                .Columns.Zip(row)
                .Where(c => c.Second.Length > 0)
                .ToDictionary(
                    c => c.First,
                    c => double.TryParse(c.Second, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : (object)c.Second
                )
        );

    private static string[] Texts(Estimate estimate) => [Text(estimate.Value), Text(estimate.Low), Text(estimate.High)];

    private static string Text(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);
}
