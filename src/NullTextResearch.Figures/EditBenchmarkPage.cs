using System.Globalization;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Perception;

namespace NullTextResearch.Figures;

/// <summary>A benchmark of edits as an interactive page. Every number on it is computed from the stored results.</summary>
public sealed record EditBenchmarkPage
{
    // Beyond that, labels would overlap and numbers in cells would not fit.
    private const int FewPairs = 8;
    private const int FewCells = 12;

    /// <summary>The benchmark.</summary>
    public required EditBenchmark Benchmark { get; init; }

    /// <summary>Facts for the head: model, T, N, w, device ...</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];

    /// <summary>What a reader should know of the results, such as several devices.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Ids of the metrics that were not computed, because their networks have no weights here.</summary>
    public IReadOnlyList<string> NeedWeights { get; init; } = [];

    /// <summary>Names of files beside the page.</summary>
    public IReadOnlyList<ReportFile> Files { get; init; } = [];

    /// <summary>The command that makes the page; null for none.</summary>
    public string? Command { get; init; }

    /// <summary>The run's manifest; null for none.</summary>
    public string? ManifestJson { get; init; }

    /// <summary>
    /// Number of scenes whose pictures are embedded, the first ones, which are balanced over the kinds; the others stay in their files (default 7).
    /// </summary>
    public int Scenes { get; init; } = 7;

    /// <summary>The picture before the edit, and the true result, of a task by its index; null leaves the pictures out.</summary>
    public Func<int, (RgbImage Source, RgbImage? Truth)>? Scene { get; init; }

    /// <summary>The edited picture of a pair on a task; null where there is none.</summary>
    public Func<BenchmarkPair, int, RgbImage?> Edited { get; init; } = (_, _) => null;

    private IReadOnlyList<BenchmarkPair> Ranked => Benchmark.Ranked;

    private bool IsJudged => Ranked.Any(p => Benchmark.Values(p, BenchmarkScore.Success).Any(v => !double.IsNaN(v)));

    /// <summary>The page.</summary>
    /// <exception cref="ArgumentException">The benchmark has no pair.</exception>
    public Report ToReport()
    {
        int units = Benchmark.Pairs.Sum(p => p.Records.Count),
            open = Benchmark.Pairs.Sum(p => p.Count(UnitStatus.Missing) + p.Count(UnitStatus.Failed));
        string incomplete =
            open == 0
                ? ""
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"This run is incomplete: {open} of {units} units are missing or failed. The numbers below will change.\n\n"
                );
        string few = Benchmark.Common.Count switch
        {
            < 2 => "Fewer than two tasks have a result of every pair: there is nothing to rank yet.\n\n",
            < 20 => "Fewer than 20 tasks have a result of every pair: the intervals are too narrow, and the ranks mean little.\n\n",
            _ => "",
        };
        return new Report
        {
            Title = "Edits with a known truth",
            Introduction =
                incomplete
                + few
                + "Rendered scenes are edited by every pair of inversion method and editor, and the renderer knows the true "
                + "result. So the distance to the truth "
                + "can be measured, and the usual metrics can be tested: do they rank edits as the truth does?\n\n"
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"Means, ranks and correlations are over the {Benchmark.Common.Count} of {Benchmark.Tasks.Count} tasks that every pair has done. Intervals "
                )
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"are percentile bootstrap over tasks ({Benchmark.Options.Level:0.##} level, {Benchmark.Options.Resamples} resamples)."
                )
                + string.Concat(Notes.Select(n => $"\n\nNote: {n}.")),
            Facts = [.. open == 0 ? [] : (ReportFact[])[new("state", $"incomplete: {open} of {units} units open")], .. Facts],
            Sections = [Results(), .. Ranked.Count == 0 ? [] : (FigureSection[])[Tradeoff(), Budget(), Kinds(), Ranking(), Agreement(), Drilldown()], Run()],
        };
    }

    /// <summary>Preservation against success, or against the distance to the truth where nobody judged.</summary>
    public ScatterChart Scatter() =>
        Points(
            "Preservation against success",
            new Axis("PSNR to the source outside the region", "dB"),
            BenchmarkScore.Preservation,
            IsJudged ? BenchmarkScore.Success : BenchmarkScore.TruthDistance
        );

    /// <summary>Rank correlations of the usual metrics with the nearness to the truth, with intervals.</summary>
    public BarChart AgreementChart()
    {
        IReadOnlyList<MetricAgreement> all = Benchmark.Agreements();
        return new BarChart
        {
            Title = "Do the usual metrics rank as the truth does?",
            XAxis = new Axis("metric"),
            YAxis = new Axis("Spearman's rho with nearness to the truth") { Minimum = -1, Maximum = 1 },
            Categories = [.. all.Select(a => a.Metric.Id)],
            Series =
            [
                Bars("over pairs", a => a.OverPairs?.Rho ?? new Estimate(double.NaN, double.NaN, double.NaN)),
                Bars("over tasks", a => a.OverTasks),
                Bars("within a task", a => a.WithinTasks),
            ],
        };

        BarSeries Bars(string name, Func<MetricAgreement, Estimate> of) =>
            new(name, [.. all.Select(a => of(a).Value)]) { Lower = [.. all.Select(a => of(a).Low)], Upper = [.. all.Select(a => of(a).High)] };
    }

    private FigureSection Results()
    {
        RankingStability? byTruth = Benchmark.Ranking(BenchmarkScore.TruthDistance);
        string[] scores = [.. EditBenchmark.Scores.Select(s => s == BenchmarkScore.Success ? "success [%]" : s.Title)];
        return new FigureSection
        {
            Id = "results",
            Title = "Results",
            Caption =
                "Success: sd-mini's classifier sees what was asked for, and the picture is nearer to the truth than the source "
                + "is. Cost: network evaluations of "
                + "inversion and edit, 1 for a forward pass, 2 for a backward pass. Seconds and cost count an inversion in full for each editor, although "
                + "editors share it. Click a heading to sort."
                + Bound(Benchmark.Common),
            Tables =
            [
                new TableData(
                    "",
                    ["pair", "tasks", "refused", "failed", "missing", .. scores, "rank by truth", "keeps rank [%]", .. NeedWeights],
                    [
                        .. Benchmark.Pairs.Select(pair =>
                        {
                            int place = Ranked.ToList().IndexOf(pair);
                            return (IReadOnlyList<string>)
                                [
                                    pair.Name,
                                    .. ((UnitStatus[])[UnitStatus.Done, UnitStatus.Refused, UnitStatus.Failed, UnitStatus.Missing]).Select(s =>
                                        Number(pair.Count(s), "0")
                                    ),
                                    .. EditBenchmark.Scores.Select(s => place < 0 ? "" : Text(Benchmark.Mean(pair, s), s)),
                                    place < 0 || byTruth is null ? "" : Number(byTruth.Ranks[place], "0.#"),
                                    place < 0 || byTruth is null ? "" : Number(100 * byTruth.KeepsRank[place], "0"),
                                    .. NeedWeights.Select(_ => "weights needed"),
                                ];
                        }),
                    ]
                )
                {
                    Sortable = true,
                },
                .. Refusals(),
            ],
        };
    }

    private IEnumerable<TableData> Refusals()
    {
        IReadOnlyList<string>[] reasons =
        [
            .. Benchmark
                .Pairs.SelectMany(p => p.Records.OfType<UnitRecord>().Where(r => r.Reason is not null).Select(r => (p.Name, r.Status, r.Reason)))
                .GroupBy(r => r)
                .Select(g => (IReadOnlyList<string>)[g.Key.Name, g.Key.Status.ToString().ToLowerInvariant(), Number(g.Count(), "0"), g.Key.Reason!]),
        ];
        if (reasons.Length > 0)
            yield return new TableData("What has no picture, and why", ["pair", "status", "tasks", "reason"], reasons);
    }

    private FigureSection Tradeoff() =>
        new()
        {
            Id = "tradeoff",
            Title = "Preservation against success",
            Caption =
                "Up and to the right is better. An editor that does nothing preserves perfectly and never succeeds. Preservation is over tasks with a kept "
                + "region; edits of the whole picture have none.",
            Charts = [Scatter().Build()],
        };

    private FigureSection Budget() =>
        new()
        {
            Id = "budget",
            Title = "What each budget buys",
            Caption =
                "Cost against result: the line joins the pairs that no cheaper pair equals. Read a budget on the horizontal axis; the best pair for it is the "
                + "last one of the line before it.",
            Charts =
            [
                .. ((BenchmarkScore[])[BenchmarkScore.Success, BenchmarkScore.TruthDistance])
                    .Where(s => s != BenchmarkScore.Success || IsJudged)
                    .Select(s => WithFront(s).Build()),
            ],
        };

    private ScatterChart WithFront(BenchmarkScore score)
    {
        ScatterChart points = Points(
            score == BenchmarkScore.Success ? "Success against cost" : "Distance to the truth against cost",
            new Axis("network evaluations (forward 1, backward 2)") { Scale = AxisScale.Log },
            BenchmarkScore.Cost,
            score
        );
        IReadOnlyList<BenchmarkPair> front = Benchmark.Front(score);
        return points with
        {
            Series =
            [
                .. points.Series,
                new ScatterSeries(
                    "best for its cost",
                    [.. front.Select(p => Benchmark.Mean(p, BenchmarkScore.Cost).Value)],
                    [.. front.Select(p => Shown(p, score))]
                )
                {
                    Connected = true,
                    Labels = [.. front.Select(p => p.Name)],
                    HoverLabels = true,
                    Color = Theme.Ink,
                },
            ],
        };
    }

    private FigureSection Kinds()
    {
        string[] kinds = [.. Benchmark.Tasks.Select(t => t.Kind).Distinct()];
        BenchmarkPair[] sorted = [.. Sorted()];
        BenchmarkScore score = IsJudged ? BenchmarkScore.Success : BenchmarkScore.TruthDistance;
        Dictionary<string, KindScore>[] rows = [.. sorted.Select(p => Benchmark.Kinds(p, score).ToDictionary(k => k.Kind))];
        bool hasBound = Benchmark.Bounds.Count > 0;
        return new FigureSection
        {
            Id = "kinds",
            Title = "By type of edit",
            Caption =
                "All tasks that a pair has done. An empty cell: the pair has none of that type, for instance because the editor does not re-weight words."
                + (hasBound && IsJudged ? " The last row is the bound that the autoencoder sets: the true pictures after its round trip." : ""),
            Charts =
            [
                new HeatmapChart
                {
                    Title = IsJudged ? "Success by type of edit [%]" : "Distance to the truth by type of edit",
                    XAxis = new Axis("type of edit"),
                    YAxis = new Axis("pair"),
                    Rows = [.. sorted.Select(p => p.Name), .. hasBound ? (string[])["truth through the autoencoder"] : []],
                    Columns = kinds,
                    Values =
                    [
                        .. rows.SelectMany(r => kinds.Select(k => Scaled(r[k].Mean.Value, score))),
                        .. hasBound
                            ? kinds.Select(k =>
                                Scaled(IsJudged ? Benchmark.BoundSuccess(Benchmark.TasksOf(k)) : Benchmark.BoundDistance(Benchmark.TasksOf(k)), score)
                            )
                            : [],
                    ],
                    ColorAxis = IsJudged ? new Axis("success", "%") { Minimum = 0, Maximum = 100 } : new Axis(score.Title),
                    Decimals = IsJudged ? 0 : 4,
                    Height = HeightOf(sorted.Length + 1),
                }.Build(),
            ],
            Tables =
            [
                new TableData(
                    $"{(IsJudged ? "Success [%]" : score.Title)} with intervals",
                    ["pair", .. kinds],
                    [.. sorted.Zip(rows, (p, r) => (IReadOnlyList<string>)[p.Name, .. kinds.Select(k => r[k].Count == 0 ? "" : Text(r[k].Mean, score))])]
                )
                {
                    Sortable = true,
                },
            ],
        };
    }

    private FigureSection Ranking()
    {
        BenchmarkScore score = BenchmarkScore.TruthDistance;
        if (Benchmark.Ranking(score) is not { } ranking)
            return new FigureSection
            {
                Id = "ranking",
                Title = "How stable is the ranking?",
                Caption = "There are fewer than two pairs with common tasks.",
            };
        int[] order = [.. Enumerable.Range(0, Ranked.Count).OrderBy(i => ranking.Ranks[i])];
        BenchmarkPair best = Ranked[order[0]];
        return new FigureSection
        {
            Id = "ranking",
            Title = "How stable is the ranking?",
            Caption =
                $"By the distance to the truth. In {Number(100 * ranking.KeepsOrder, "0")} % of the resamples of the tasks all pairs keep their ranks. The "
                + "differences to the best pair are paired: on the same tasks. Their intervals are not corrected for the number of comparisons. All other "
                + "comparisons are in paired.csv.",
            Charts =
            [
                new HeatmapChart
                {
                    Title = "How often the row is nearer to the truth than the column",
                    XAxis = new Axis("pair"),
                    YAxis = new Axis("pair"),
                    Rows = [.. order.Select(i => Ranked[i].Name)],
                    Columns = [.. order.Select(i => Ranked[i].Name)],
                    Values = [.. order.SelectMany(i => order.Select(j => 100 * ranking.Better[i][j]))],
                    ColorAxis = new Axis("resamples", "%") { Minimum = 0, Maximum = 100 },
                    Decimals = 0,
                    ShowValues = order.Length <= FewCells,
                    Height = HeightOf(order.Length) + 120,
                }.Build(),
            ],
            Tables =
            [
                new TableData(
                    $"Against the best pair by distance to the truth, {best.Name}",
                    ["rank", "pair", score.Title, "difference", "keeps rank [%]", "success minus the best's [percentage points]"],
                    [
                        .. order.Select(i =>
                            (IReadOnlyList<string>)
                                [
                                    Number(ranking.Ranks[i], "0.#"),
                                    Ranked[i].Name,
                                    Text(Benchmark.Mean(Ranked[i], score), score),
                                    Text(Difference(Ranked[i], best, score), score),
                                    Number(100 * ranking.KeepsRank[i], "0"),
                                    Text(Difference(Ranked[i], best, BenchmarkScore.Success), BenchmarkScore.Success),
                                ]
                        ),
                    ]
                )
                {
                    Sortable = true,
                },
            ],
        };
    }

    private FigureSection Agreement()
    {
        IReadOnlyList<MetricAgreement> all = Benchmark.Agreements();
        return new FigureSection
        {
            Id = "metrics",
            Title = "Do the usual metrics rank as the truth does?",
            Caption =
                "A benchmark without truth can only compare an edit with its source and its text. Here these metrics are compared "
                + "with the nearness to the truth "
                + "(the negative MSE in the region): 1 means the same order, 0 no relation, -1 the opposite order. Over pairs: does the metric name the better "
                + "method? Over tasks: does it name the tasks that went well, for one pair (mean of all pairs)? Within a task: does it name the best of all "
                + "edits of one picture (mean of all tasks)?",
            Charts = Benchmark.Common.Count < 2 || all.Count == 0 ? [] : [AgreementChart().Build()],
            Tables =
            [
                new TableData(
                    "",
                    ["metric", "better", "over pairs, rho", "over pairs, tau", "over tasks, rho", "within a task, rho"],
                    [
                        .. all.Select(a =>
                            (IReadOnlyList<string>)
                                [
                                    a.Metric.Id,
                                    a.Metric.Direction == MetricDirection.Higher ? "higher" : "lower",
                                    a.OverPairs is { } p ? Interval(p.Rho, "0.00") : "",
                                    a.OverPairs is { } q ? Interval(q.Tau, "0.00") : "",
                                    Interval(a.OverTasks, "0.00"),
                                    Interval(a.WithinTasks, "0.00"),
                                ]
                        ),
                        .. NeedWeights.Select(m => (IReadOnlyList<string>)[m, "", "weights needed", "", "", ""]),
                    ]
                )
                {
                    Sortable = true,
                },
            ],
        };
    }

    private FigureSection Drilldown()
    {
        int shown = Scene is null ? 0 : Math.Min(Scenes, Benchmark.Tasks.Count);
        return new FigureSection
        {
            Id = "scenes",
            Title = "Scene by scene",
            Caption =
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Pictures of the first {shown} of {Benchmark.Tasks.Count} scenes are embedded, to keep the page small. "
                )
                + "All edited pictures are files of the run: units/edit-KEY.png, with the keys in table.json. Below a picture: "
                + "whether the edit succeeds, and its "
                + "MSE to the truth in the region.",
            Galleries = [.. Enumerable.Range(0, shown).Select(t => GalleryOf(t) with { IsOpen = t == 0 })],
            Tables =
            [
                new TableData(
                    "All scenes",
                    ["scene", "type", "from", "to", "pairs", "succeed", "median MSE to the truth", "without an edit", "autoencoder", "nearest to the truth"],
                    [.. Enumerable.Range(0, Benchmark.Tasks.Count).Select(RowOf)]
                )
                {
                    Sortable = true,
                },
            ],
        };

        IReadOnlyList<string> RowOf(int t)
        {
            (BenchmarkPair Pair, UnitRecord Record)[] done =
            [
                .. Ranked.Where(p => p.Done(t) is not null).Select(p => (p, p.Done(t)!)).OrderBy(p => BenchmarkScore.TruthDistance.Of(p.Item2)),
            ];
            EditTask task = Benchmark.Tasks[t];
            BenchmarkBound? bound = t < Benchmark.Bounds.Count ? Benchmark.Bounds[t] : null;
            return
            [
                task.Id,
                task.Kind,
                task.SourcePrompt,
                task.TargetPrompt + string.Concat(task.Weights.Select(w => $" ({w.Key} x {Number(w.Value, "0.##")})")),
                Number(done.Length, "0"),
                Number(done.Count(d => d.Record.Success == true), "0"),
                done.Length == 0 ? "" : Number(BenchmarkScore.TruthDistance.Of(done[done.Length / 2].Record), "0.0000"),
                bound is null ? "" : Number(bound.NoEditDistance, "0.0000"),
                bound is null ? "" : Number(bound.TruthDistance, "0.0000"),
                done.Length == 0 ? "" : done[0].Pair.Name,
            ];
        }
    }

    private PictureGallery GalleryOf(int t)
    {
        EditTask task = Benchmark.Tasks[t];
        (RgbImage source, RgbImage? truth) = Scene!(t);
        List<ReportImage> pictures = [Of(source, "source", "source")];
        if (truth is not null)
            pictures.Add(Of(truth, "true result", "truth"));
        foreach (BenchmarkPair pair in Ranked)
        {
            if (pair.Done(t) is { } record && Edited(pair, t) is { } edited)
                pictures.Add(
                    Of(
                        edited,
                        $"edit by {pair.Name}",
                        $"{pair.Name}{record.Success switch { true => ", succeeds", false => ", fails", null => "" }}, "
                            + Number(BenchmarkScore.TruthDistance.Of(record), "0.0000")
                    )
                );
        }
        return new PictureGallery($"{task.Id}, {task.Kind}: {task.SourcePrompt} → {task.TargetPrompt}", pictures);

        ReportImage Of(RgbImage picture, string what, string caption) => new(ImageFile.EncodePng(picture), $"{task.Id}: {what}") { Caption = caption };
    }

    private FigureSection Run() =>
        new()
        {
            Id = "run",
            Title = "The run",
            Caption = "All numbers above come from these files.",
            Command = Command,
            Files = Files,
            ManifestJson = ManifestJson,
        };

    /// <summary>The pairs in a plane, a series per editor (or per method, if there is one editor), with the autoencoder's bound as a line.</summary>
    private ScatterChart Points(string title, Axis x, BenchmarkScore ofX, BenchmarkScore ofY)
    {
        bool byEditor = Ranked.Select(p => p.Editor).Distinct().Count() > 1;
        (string, double)[] lines =
            ofY == BenchmarkScore.Success
                ? [("truth through the autoencoder", Benchmark.BoundSuccess(Benchmark.Common))]
                : [("truth through the autoencoder", Benchmark.BoundDistance(Benchmark.Common)), ("no edit", Benchmark.NoEditDistance(Benchmark.Common))];
        return new ScatterChart
        {
            Title = title,
            XAxis = x,
            YAxis = ofY == BenchmarkScore.Success ? new Axis("success", "%") { Minimum = 0, Maximum = 100 } : new Axis(ofY.Title),
            Series =
            [
                .. Ranked
                    .GroupBy(p => byEditor ? p.Editor : p.Method)
                    .Select(g => new ScatterSeries(g.Key, [.. g.Select(p => Shown(p, ofX))], [.. g.Select(p => Shown(p, ofY))])
                    {
                        // The legend names the editors, or the methods if there is one editor.
                        Labels = [.. g.Select(p => byEditor && Ranked.Count <= FewPairs ? p.Method : p.Name)],
                        HoverLabels = Ranked.Count > FewPairs || !byEditor,
                    }),
            ],
            HorizontalLines = [.. lines.Where(l => !double.IsNaN(l.Item2)).Select(l => new ReferenceLine(l.Item1, Scaled(l.Item2, ofY)))],
        };
    }

    private IEnumerable<BenchmarkPair> Sorted() => Ranked.OrderBy(p => Benchmark.Mean(p, BenchmarkScore.TruthDistance).Value);

    private Estimate Difference(BenchmarkPair pair, BenchmarkPair best, BenchmarkScore score)
    {
        double[] first = Benchmark.Values(pair, score),
            second = Benchmark.Values(best, score);
        return Bootstrap.MeanDifference([.. Benchmark.Common.Select(t => first[t])], [.. Benchmark.Common.Select(t => second[t])], Benchmark.Options);
    }

    private string Bound(IReadOnlyList<int> tasks) =>
        double.IsNaN(Benchmark.BoundSuccess(tasks))
            ? ""
            : $" The bound of success is what the model's autoencoder leaves: the true pictures after its round trip pass in "
                + $"{Number(100 * Benchmark.BoundSuccess(tasks), "0")} % of these tasks.";

    private double Shown(BenchmarkPair pair, BenchmarkScore score) => Scaled(Benchmark.Mean(pair, score).Value, score);

    private static double Scaled(double value, BenchmarkScore score) => score == BenchmarkScore.Success ? 100 * value : value;

    private static int HeightOf(int rows) => Math.Clamp(120 + (22 * rows), 260, 2000);

    private static string Text(Estimate e, BenchmarkScore score) =>
        score == BenchmarkScore.Success ? Interval(new Estimate(100 * e.Value, 100 * e.Low, 100 * e.High), "0")
        : score == BenchmarkScore.TruthDistance ? Interval(e, "0.0000")
        : score == BenchmarkScore.Cost ? Number(e.Value, "0")
        : score == BenchmarkScore.Seconds ? Number(e.Value, "0.0")
        : Interval(e, "0.0");

    private static string Interval(Estimate e, string format) =>
        double.IsNaN(e.Value) ? ""
        : double.IsNaN(e.Low) ? Number(e.Value, format)
        : $"{Number(e.Value, format)} ({Number(e.Low, format)} to {Number(e.High, format)})";

    private static string Number(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
}
