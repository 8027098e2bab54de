using System.Text.Json;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Perception;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public sealed class EditBenchmarkTests : IDisposable
{
    private static readonly BenchmarkScore Guess = BenchmarkScore.OfColumn("guess", MetricDirection.Higher);

    private readonly StudyBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Means_APairThatLacksTheHardTask_AreOverTheTasksThatAllHaveDone()
    {
        EditBenchmark benchmark = new(
            Tasks(3),
            [Pair("a", 0.1, 0.2, 0.9), Pair("b", 0.3, 0.4, double.NaN), Pair("none", double.NaN, double.NaN, double.NaN)],
            []
        );
        Assert.Equal(["a + p2p", "b + p2p"], benchmark.Ranked.Select(p => p.Name));
        Assert.Equal([0, 1], benchmark.Common);
        Assert.Equal(0.15, benchmark.Mean(benchmark.Pairs[0], BenchmarkScore.TruthDistance).Value, 1e-12);
        Assert.Equal(-0.2, Assert.Single(benchmark.Paired(BenchmarkScore.TruthDistance)).Difference.Value, 1e-12);
        Assert.Equal([1, 2], benchmark.Ranking(BenchmarkScore.TruthDistance)!.Ranks);
        // By kinds, all tasks of a pair count: the hard one is the second of its kind.
        Assert.Equal([(0.5, 2), (0.2, 1)], benchmark.Kinds(benchmark.Pairs[0], BenchmarkScore.TruthDistance).Select(k => (k.Mean.Value, k.Count)));
        Assert.Equal((2, 1), (benchmark.Pairs[1].Count(UnitStatus.Done), benchmark.Pairs[1].Count(UnitStatus.Missing)));
    }

    [Fact]
    public void Front_PairsByCost_KeepsThoseThatNoCheaperOneEquals()
    {
        EditBenchmark benchmark = new(Tasks(1), [Pair("dear", 0.1), Pair("cheap", 0.5), Pair("worse", 0.6), Pair("equal", 0.5)], []);
        Dictionary<string, double> cost = new()
        {
            ["dear"] = 300,
            ["cheap"] = 10,
            ["worse"] = 20,
            ["equal"] = 30,
        };
        benchmark = new EditBenchmark(
            benchmark.Tasks,
            [
                .. benchmark.Pairs.Select(p =>
                    p with
                    {
                        Records =
                        [
                            .. p.Records.Select(r => r! with { Evaluations = cost[p.Method] - 8, EditEvaluations = 2, Backwards = 2, EditBackwards = 1 }),
                        ],
                    }
                ),
            ],
            []
        );
        Assert.Equal(10, benchmark.Mean(benchmark.Pairs[1], BenchmarkScore.Cost).Value);
        Assert.Equal(["cheap", "dear"], benchmark.Front(BenchmarkScore.TruthDistance).Select(p => p.Method));
    }

    [Theory]
    [InlineData(MetricDirection.Higher, -1, 1)]
    [InlineData(MetricDirection.Lower, 1, 1)]
    [InlineData(MetricDirection.Higher, 1, -1)]
    public void Agreement_AMetricThatFollowsTheTruth_IsOneWhicheverWayItCounts(MetricDirection direction, int sign, double expected)
    {
        EditBenchmark benchmark = new(
            Tasks(3),
            [Pair("a", 0.1, 0.2, 0.4), Pair("b", 0.3, 0.5, 0.6), Pair("c", 0.7, 0.8, 0.9)],
            [BenchmarkScore.OfColumn("guess", direction)]
        );
        MetricAgreement found = Assert.Single(With(benchmark, (_, _, truth) => sign * truth, direction).Agreements());
        Assert.Equal(expected, found.OverPairs!.Rho.Value, 1e-12);
        Assert.Equal(expected, found.OverPairs.Tau.Value, 1e-12);
        Assert.Equal(expected, found.OverTasks.Value, 1e-12);
        Assert.Equal(expected, found.WithinTasks.Value, 1e-12);
    }

    [Fact]
    public void Agreement_PairsRightAndTasksWrong_IsToldApart()
    {
        // Later tasks are farther from the truth; the guess prefers them, but knows which pair is the best.
        EditBenchmark benchmark = With(
            new(Tasks(3), [Pair("a", 0.1, 0.2, 0.3), Pair("b", 0.11, 0.21, 0.31), Pair("c", 0.12, 0.22, 0.32)], []),
            (pair, task, _) => task - (0.1 * pair),
            MetricDirection.Higher
        );
        MetricAgreement found = Assert.Single(benchmark.Agreements());
        Assert.Equal((1, -1, 1), (found.OverPairs!.Rho.Value, found.OverTasks.Value, found.WithinTasks.Value));
    }

    [Fact]
    public void Agreement_AMetricWithoutValueOnATask_ComparesTheOtherTasksOnly()
    {
        // On the task without a guess the order of the pairs is the opposite one, and decides the means.
        EditBenchmark benchmark = With(
            new(Tasks(3), [Pair("a", 0.1, 0.2, 9), Pair("b", 0.3, 0.4, 1)], []),
            (_, task, truth) => task == 2 ? double.NaN : -truth,
            MetricDirection.Higher
        );
        MetricAgreement found = Assert.Single(benchmark.Agreements());
        Assert.Equal((1, 1), (found.OverPairs!.Rho.Value, found.WithinTasks.Value));
        Assert.Equal([2, 1], benchmark.Ranking(BenchmarkScore.TruthDistance)!.Ranks);
    }

    [Fact]
    public void Agreement_AMetricThatNobodyHas_HasNoValue()
    {
        MetricAgreement found = Assert.Single(new EditBenchmark(Tasks(2), [Pair("a", 0.1, 0.2), Pair("b", 0.3, 0.4)], [Guess]).Agreements());
        Assert.Null(found.OverPairs);
        Assert.True(double.IsNaN(found.OverTasks.Value) && double.IsNaN(found.WithinTasks.Value));
    }

    [Fact]
    public void Bounds_PerTask_AreMeansOverTheTasksAskedFor()
    {
        EditBenchmark benchmark = new(
            Tasks(3),
            [Pair("a", 0.1, 0.2, 0.3)],
            [],
            [new BenchmarkBound(true, 0.01, 0.5), new BenchmarkBound(false, 0.03, 0.7), null]
        );
        Assert.Equal(0.5, benchmark.BoundSuccess([0, 1, 2]));
        Assert.Equal(0.02, benchmark.BoundDistance([0, 1, 2]), 1e-12);
        Assert.Equal(0.7, benchmark.NoEditDistance([1]));
        Assert.True(double.IsNaN(benchmark.BoundSuccess([2])));
        Assert.Null(benchmark.Ranking(BenchmarkScore.TruthDistance));
    }

    [Fact]
    public void TablesAndJson_OneRowEach_HaveIntervalsAndBounds()
    {
        EditBenchmark benchmark = With(
            new(
                Tasks(3),
                [Pair("a", 0.1, 0.2, 0.4), Pair("b", 0.3, 0.5, 0.6), Pair("none", double.NaN, double.NaN, double.NaN)],
                [],
                [.. Enumerable.Repeat(new BenchmarkBound(true, 0.01, 0.5), 3)]
            ),
            (_, _, truth) => -truth,
            MetricDirection.Higher
        );
        Assert.Equal(
            [3, 2 * 2 * 3, 2, 1],
            ((StudyTable[])[benchmark.PairsTable(), benchmark.KindsTable(), benchmark.PairedTable(), benchmark.MetricsTable()]).Select(t => t.Rows.Count)
        );
        foreach (StudyTable table in (StudyTable[])[benchmark.PairsTable(), benchmark.KindsTable(), benchmark.PairedTable(), benchmark.MetricsTable()])
            Assert.All(table.Rows, r => Assert.Equal(table.Columns.Count, r.Count));
        Assert.Equal("0.01", benchmark.KindsTable().Rows.First(r => r[3] == "truth-distance")[^1]);
        using JsonDocument json = JsonDocument.Parse(benchmark.ToJson());
        Assert.Equal(
            -0.2333,
            json.RootElement.GetProperty("paired")
                .EnumerateArray()
                .Single(p => p.GetProperty("score").GetString() == "truth-distance")
                .GetProperty("difference")
                .GetDouble(),
            1e-4
        );
        Assert.Equal(3, json.RootElement.GetProperty("tasks").GetArrayLength());
        Assert.False(json.RootElement.GetProperty("pairs")[2].TryGetProperty("truth-distance", out _));
    }

    [Fact]
    public void Construction_WrongInput_SaysWhatIsWrong()
    {
        Assert.Contains("has 1 for 2 tasks", Assert.Throws<ArgumentException>(() => new EditBenchmark(Tasks(2), [Pair("a", 1)], [])).Message);
        Assert.Contains(
            "Two pairs are called 'a + p2p'",
            Assert.Throws<ArgumentException>(() => new EditBenchmark(Tasks(1), [Pair("a", 1), Pair("a", 1)], [])).Message
        );
        Assert.Contains("got 2 for 1", Assert.Throws<ArgumentException>(() => new EditBenchmark(Tasks(1), [Pair("a", 1)], [], [null, null])).Message);
    }

    [Fact]
    public void Of_Study_HasEveryPairWithItsRecordsAndReasons()
    {
        Study study = _bench.Study(StudyBench.Plan with { Metrics = ["mse", "masked-mse", "masked-psnr"] });
        Directory.CreateDirectory(_bench.In("a"));
        EditBenchmark before = EditBenchmark.Of(study, _bench.Merge(study, "a"));
        Assert.Empty(before.Ranked);
        Assert.Empty(before.Common);
        Assert.All(before.Agreements(), a => Assert.Null(a.OverPairs));
        _bench.Run(study, "a");
        StudyMerge merged = _bench.Merge(study, "a");
        EditBenchmark after = EditBenchmark.Of(study, merged);
        Assert.Equal(3 * 2, after.Pairs.Count);
        Assert.Equal(2 * 2, after.Ranked.Count);
        Assert.Contains("edict", after.Pairs.Single(p => p.Name == "null-text@edict + masactrl").Records[0]!.Reason, StringComparison.Ordinal);
        // The metrics that see the truth are not among those that are tested by it.
        Assert.Equal(["source-mse", "source-outside-mse", "source-outside-psnr", "reconstruction-psnr"], after.Metrics.Select(m => m.Id));
        foreach (BenchmarkPair pair in after.Ranked)
        {
            StudyRow row = merged.Rows.First(r => r.Unit.Task.Id == "tiger" && r.Unit.Method.Name == pair.Method && r.Unit.Editor.Id == pair.Editor);
            Assert.Same(row.Record, pair.Records[1]);
            Assert.NotNull(merged.Picture(row));
        }
        Assert.Null(merged.Picture(merged.Rows.First(r => r.Status == UnitStatus.Refused)));
        Study two = _bench.Study(StudyBench.Plan with { Steps = [2, 3] });
        Assert.Contains("one T", Assert.Throws<StudyException>(() => EditBenchmark.Of(two, _bench.Merge(two, "a"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EditBounds_SecondTime_AreReadFromTheFolder()
    {
        Study study = _bench.Study();
        AlwaysYes judge = new();
        IReadOnlyList<BenchmarkBound?> first = EditBounds.Of(study, judge, _bench.In("a"));
        Assert.Equal(1, _bench.Loads);
        Assert.Equal(study.Data[0].Tasks.Select(t => study.Data[0].Truth(t) is not null), first.Select(b => b is not null));
        BenchmarkBound[] known = [.. first.OfType<BenchmarkBound>()];
        Assert.NotEmpty(known);
        Assert.All(known, b => Assert.True(b.Success == true && b.TruthDistance >= 0 && b.NoEditDistance > 0));
        Assert.Equal(first, EditBounds.Of(study, judge, _bench.In("a")));
        Assert.Equal(1, _bench.Loads);
        // Another judge has other bounds.
        Assert.All(EditBounds.Of(study, null, _bench.In("a")).OfType<BenchmarkBound>(), b => Assert.Null(b.Success));
        Assert.Equal(2, _bench.Loads);
    }

    private static EditTask[] Tasks(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new EditTask
                {
                    Id = $"t{i}",
                    Kind = i % 2 == 0 ? "swap" : "colour",
                    SourcePrompt = "a cat",
                    TargetPrompt = "a dog",
                }),
        ];

    /// <summary>A pair with its distances to the truth; NaN for a task that was not computed.</summary>
    private static BenchmarkPair Pair(string method, params double[] truths) =>
        new(
            method,
            "p2p",
            [
                .. truths.Select(t =>
                    double.IsNaN(t)
                        ? null
                        : new UnitRecord
                        {
                            Status = UnitStatus.Done,
                            Slot = "",
                            Success = t < 0.3,
                            Scores = new Dictionary<string, double> { ["truth-mse"] = 77, ["truth-inside-mse"] = t },
                        }
                ),
            ]
        );

    /// <summary>The same with a metric, as a function of pair, task and distance to the truth.</summary>
    private static EditBenchmark With(EditBenchmark benchmark, Func<int, int, double, double> guess, MetricDirection direction) =>
        new(
            benchmark.Tasks,
            [
                .. benchmark.Pairs.Select(
                    (p, i) =>
                        p with
                        {
                            Records =
                            [
                                .. p.Records.Select(
                                    (r, t) =>
                                        r is null
                                            ? null
                                            : r with
                                            {
                                                Scores = new Dictionary<string, double>(r.Scores) { ["guess"] = guess(i, t, r.Scores["truth-inside-mse"]) },
                                            }
                                ),
                            ],
                        }
                ),
            ],
            [BenchmarkScore.OfColumn("guess", direction)],
            benchmark.Bounds
        );

    private sealed class AlwaysYes : IEditJudge
    {
        public string Id => "yes";

        public bool? Judge(EditTask task, RgbImage edited) => true;
    }
}
