using System.CommandLine;
using System.Globalization;
using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;
using NullTextResearch.Figures;
using NullTextResearch.Perception;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext bench edits`: methods and editors on toy scenes with known true results. A study that is made from the options, and a page.</summary>
internal static class BenchEditsCommand
{
    private const int QuickSteps = 20,
        QuickInner = 3;

    private const string AllMethods = "ddim,npi,npi@fixed-point,direct,eta,null-text,edit-friendly,edict",
        AllEditors = "prompt-to-prompt,masactrl,plug-and-play",
        QuickMethods = "npi,direct,edit-friendly",
        QuickEditors = "prompt-to-prompt,masactrl",
        PlainMetrics = "psnr,mse,ssim,ms-ssim,masked-psnr,masked-mse,masked-ssim",
        ClipMetrics = "clip-text,masked-clip-text,clip-image,clip-direction";

    // What the scores of the benchmark itself need, whichever metrics are asked for.
    private static readonly string[] Needed = ["mse", "masked-mse", "masked-psnr"];

    public static Command Create()
    {
        Option<int> count = SharedOptions.Int(
            "--count",
            $"Number of scenes, balanced over the types of edits if it is a multiple of {ToyEditDataset.Kinds.Count}; 7 with --quick.",
            70,
            1,
            ToyEditDataset.MostTasks
        );
        BenchOptions bench = new("edits", AllMethods, AllEditors, (QuickMethods, QuickEditors, QuickSteps, QuickInner));
        Option<string?> metrics = new("--metrics")
        {
            Description = $"Metrics to be compared with the truth (default: {PlainMetrics}; and {ClipMetrics} where weights are there).",
        };
        Option<string> model = new("--model")
        {
            Description = "As for 'nulltext invert'. The classifier that judges success is sd-mini's, for pictures of 64 pixels.",
            HelpName = "model",
            DefaultValueFactory = _ => SharedOptions.EmbeddedModel,
        };
        Option<string?> weights = new("--weights")
        {
            Description = "Folder of weights for metrics by networks, with clip/, lpips/ or dino/ (default: the model's own folder, if it has clip/).",
        };
        Option<string?> folder = new("--out")
        {
            Description = "Folder of the results, which all shards share (default: runs/bench-edits, or runs/bench-edits-quick).",
        };
        Option<bool> quick = new("--quick") { Description = "A few scenes, methods and steps: minutes instead of hours." };
        Option[] ofStudy = [count, bench.Methods, bench.Editors, metrics, bench.Steps, bench.Inner, bench.Guidance, bench.Seed, model, weights, quick];
        Command command = new("edits", "Compare methods and editors on rendered scenes whose true edited picture is known (ToyEdit).");
        bench.AddTo(command, ofStudy, folder);
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                bool small = parsed.GetValue(quick);
                string into = parsed.GetValue(folder) ?? Path.Combine("runs", small ? "bench-edits-quick" : "bench-edits");
                return bench.Run(context, parsed, into, Plan, (study, merged) => Write(context, study, merged, into));

                StudyPlan Plan() =>
                    WithMetrics(
                        new StudyPlan
                        {
                            Name = "bench-edits",
                            Data = [new StudyData { Dataset = "toy-edit", Count = Value(count, 7) }],
                            Models = [BenchOptions.ModelOf(parsed.GetValue(model)!)],
                            Methods = bench.NamedMethods(Value(bench.Methods, QuickMethods)),
                            Editors = [.. bench.NamedEditors(Value(bench.Editors, QuickEditors)).Select(StudyEditorChoice.FromString)],
                            Metrics = [],
                            Steps = [Value(bench.Steps, QuickSteps)],
                            InnerSteps = [Value(bench.Inner, QuickInner)],
                            Guidance = [parsed.GetValue(bench.Guidance)],
                            Seeds = [parsed.GetValue(bench.Seed)],
                            Folder = Path.GetFullPath(into),
                        },
                        parsed.GetValue(metrics),
                        parsed.GetValue(weights)
                    );

                T Value<T>(Option<T> option, T ofQuick) => small && !SharedOptions.WasGiven(parsed, option) ? ofQuick : parsed.GetValue(option)!;
            }
        );
        return command.WithExamples(
            "nulltext bench edits --quick",
            "nulltext bench edits --methods direct,npi,null-text --editors prompt-to-prompt --count 14",
            "nulltext bench edits --out runs/bench-edits --shard 0/2",
            "nulltext bench edits --report --out runs/bench-edits"
        );
    }

    /// <summary>The metrics that are asked for, without those whose networks have no weights here.</summary>
    private static StudyPlan WithMetrics(StudyPlan plan, string? asked, string? weights)
    {
        string model = SharedOptions.ModelPath(plan.Models[0].Model);
        string? folder = weights ?? (Directory.Exists(Path.Combine(model, "clip")) ? model : null);
        using MetricNetworks? networks = folder is null ? null : MetricNetworks.Open(folder);
        Metric[] metrics =
        [
            .. SharedOptions
                .Ids("--metrics", asked ?? $"{PlainMetrics},{ClipMetrics}")
                .Select(id => SharedOptions.Named("--metrics", () => MetricCatalogue.Find(id)))
                .Where(m => m.Network is not { } network || networks?.Has(network) == true),
        ];
        return plan with
        {
            Metrics = [.. metrics.Select(m => m.Id).Union(Needed)],
            Weights = folder is not null && metrics.Any(m => m.Network is not null) ? Path.GetRelativePath(plan.Folder, Path.GetFullPath(folder)) : null,
        };
    }

    private static void Write(RunContext context, Study study, StudyMerge merged, string folder)
    {
        ToyEditDataset toys =
            study.Data.OfType<ToyEditDataset>().FirstOrDefault()
            ?? throw new CommandException($"The study in {folder} is not of toy edits; 'nulltext study merge' writes its tables.");
        using SceneEditJudge judge = SceneEditJudge.Load(toys, SharedOptions.ModelPath(SharedOptions.EmbeddedModel));
        EditBenchmark benchmark = EditBenchmark.Of(study, merged, EditBounds.Of(study, judge, folder, context.Cancel));
        foreach (
            (string name, StudyTable table) in ((string, StudyTable)[])
                [
                    ("pairs", benchmark.PairsTable()),
                    ("kinds", benchmark.KindsTable()),
                    ("paired", benchmark.PairedTable()),
                    ("metrics", benchmark.MetricsTable()),
                ]
        )
            StudyCommand.WriteTable(context, folder, name, table);
        WholeFile.Write(Path.Combine(folder, "bench.json"), Encoding.UTF8.GetBytes(benchmark.ToJson()));
        string manifest = StudyManifest.Of("toy-edit", study, merged, judge.Id);
        WholeFile.Write(Path.Combine(folder, "manifest.json"), Encoding.UTF8.GetBytes(manifest));
        Dictionary<(string, string, string), StudyRow> rows = merged.Rows.ToDictionary(r => (r.Unit.Method.Name, r.Unit.Editor.Id, r.Unit.Task.Id));
        StudyPlan plan = study.Plan;
        EditBenchmarkPage page = new()
        {
            Benchmark = benchmark,
            Facts =
            [
                new("model", study.Models[0].Name),
                new("scenes", Number(toys.Tasks.Count)),
                new("pairs with results", Number(benchmark.Ranked.Count)),
                new(
                    "T, N, w, seed",
                    $"{Number(plan.Steps[0])}, {Number(plan.InnerSteps[0])}, {Number(plan.Guidance[0])}, {plan.Seeds[0].ToString(CultureInfo.InvariantCulture)}"
                ),
                new("device", string.Join(", ", merged.Rows.Select(r => r.Record?.Device).Where(d => d is not null).Distinct())),
                new("computing", $"{Number(Math.Round(StudyManifest.Seconds(merged) / 60, 1))} min"),
            ],
            Notes = merged.Notes,
            NeedWeights = [.. MetricCatalogue.All.Where(m => m.Network is { } n && !Has(plan, n)).Select(m => m.Id)],
            Files =
            [
                .. ((string[])["table.csv", "summary.csv", "times.csv", "table.json", "pairs.csv", "kinds.csv", "paired.csv", "metrics.csv", "bench.json"])
                    .Append("manifest.json")
                    .Select(f => new ReportFile(f, f)),
            ],
            Command = "nulltext bench edits --report",
            ManifestJson = manifest,
            Scene = t => (toys.Picture(toys.Tasks[t]), toys.Truth(toys.Tasks[t])),
            Edited = (pair, t) => merged.Picture(rows[(pair.Method, pair.Editor, toys.Tasks[t].Id)]),
        };
        string path = Path.Combine(folder, "index.html");
        page.ToReport().Write(path);
        context.Out.WriteLine($"  page        {Path.GetFullPath(path)}");
    }

    private static bool Has(StudyPlan plan, MetricNetwork network) => plan.Metrics.Any(id => MetricCatalogue.Find(id).Network == network);

    private static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
