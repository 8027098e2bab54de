using System.CommandLine;
using System.Globalization;
using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;
using NullTextResearch.Editing;
using NullTextResearch.Figures;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext bench pie`: PIE-Bench in its published layout, protocol and columns. A study that is made from the options, and a page.</summary>
internal static class BenchPieCommand
{
    private const string Published = "published",
        Own = "own";

    // Files in --out, besides the study's own.
    private const string Units = "units.csv",
        Kinds = "kinds.csv",
        Markdown = "table.md",
        Manifest = "manifest.json";

    // A page is read by people; the JSON file lists all.
    private const int MostListed = 100;

    public static Command Create()
    {
        Option<string?> data = new("--data")
        {
            Description = "PIE-Bench's folder, with mapping_file.json and annotation_images/; its authors give it out. It is not part of this program.",
            HelpName = "folder",
        };
        Option<int?> count = new("--count") { Description = "Number of pictures, from the front of the mapping (default: all)." };
        count.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int n) && n < 1)
                result.AddError($"--count is {n}; it must be at least 1.");
        });
        BenchOptions bench = new("pie", "ddim,null-text,npi,direct", PromptToPromptOptions.EditorId);
        Option<string> protocol = SharedOptions.Choice(
            "--protocol",
            "published: prompt-to-prompt as in the authors' runner (always refinement, cross 0.4, self 0.6, factor 2 on the target's blended word), masks and "
                + "pixel scales as in their evaluation; own: this program's defaults and corrected metrics, which no published row can stand beside.",
            Published,
            Published,
            Own
        );
        Option<string> model = new("--model")
        {
            Description = "As for 'nulltext invert'; published rows are of Stable Diffusion 1.4.",
            HelpName = "model",
            DefaultValueFactory = _ => SharedOptions.EmbeddedModel,
        };
        Option<string?> precision = new("--precision") { Description = $"Precision of the U-Net: {string.Join(", ", Precision.Names)} (default: fp32)." };
        precision.CompletionSources.Add([.. Precision.Names]);
        precision.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !Precision.Names.Contains(result.Tokens[0].Value))
                result.AddError($"--precision is '{result.Tokens[0].Value}'; it must be one of {string.Join(", ", Precision.Names)}.");
        });
        Option<string?> weights = new("--weights")
        {
            Description = $"Folder of published weights, with lpips/, clip/ and dino/. Without them, columns say '{PieTable.WeightsNeeded}'.",
        };
        Option<string> folder = new("--out")
        {
            Description = "Folder of the results, which all shards share.",
            DefaultValueFactory = _ => Path.Combine("runs", "bench-pie"),
        };
        Option[] ofStudy =
        [
            data,
            count,
            bench.Methods,
            bench.Editors,
            protocol,
            bench.Steps,
            bench.Inner,
            bench.Guidance,
            bench.Seed,
            model,
            precision,
            weights,
        ];
        Command command = new("pie", "PIE-Bench: edits of real pictures, in the published protocol and columns, beside the published numbers.");
        bench.AddTo(command, ofStudy, folder);
        command.Validators.Add(result =>
        {
            if (!bench.Reports(result) && result.GetValue(data) is null)
                result.AddError("give --data with PIE-Bench's folder, or --report for the results that are in --out.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                string into = parsed.GetValue(folder)!;
                return bench.Run(context, parsed, into, Plan, (study, merged) => Write(context, study, merged, into));

                StudyPlan Plan()
                {
                    bool published = parsed.GetValue(protocol) == Published;
                    string? networks = parsed.GetValue(weights);
                    return new StudyPlan
                    {
                        Name = "bench-pie",
                        Data =
                        [
                            new StudyData
                            {
                                Dataset = "pie",
                                Folder = Path.GetFullPath(parsed.GetValue(data)!),
                                Count = parsed.GetValue(count),
                            },
                        ],
                        Models = [BenchOptions.ModelOf(parsed.GetValue(model)!, parsed.GetValue(precision))],
                        Methods = bench.NamedMethods(parsed.GetValue(bench.Methods)!),
                        Editors = [.. bench.NamedEditors(parsed.GetValue(bench.Editors)!).Select(id => EditorOf(id, published))],
                        Metrics = Metrics(networks),
                        Weights = networks is null ? null : Path.GetFullPath(networks),
                        Mode = published ? MaskedMode.PieOfficial : MaskedMode.Corrected,
                        Steps = [parsed.GetValue(bench.Steps)],
                        InnerSteps = [parsed.GetValue(bench.Inner)],
                        Guidance = [parsed.GetValue(bench.Guidance)],
                        Seeds = [parsed.GetValue(bench.Seed)],
                        Folder = Path.GetFullPath(into),
                    };
                }
            }
        );
        return command.WithExamples(
            "nulltext bench pie --data PIE-Bench_v1 --count 10",
            "nulltext bench pie --data PIE-Bench_v1 --model OWNER/NAME --weights published --device cuda --shard 0/64",
            "nulltext bench pie --report --out runs/bench-pie"
        );
    }

    private static StudyEditorChoice EditorOf(string id, bool published)
    {
        StudyEditSettings own = new();
        if (!published || id != PromptToPromptOptions.EditorId)
            return id;
        return new StudyEditorChoice
        {
            Editor = id,
            Options = NamedOptions.Of(StudyEditSettings.Pie).Except(NamedOptions.Of(own)).ToDictionary(o => o.Name, o => o.Value),
        };
    }

    /// <summary>The metrics of the published columns, without those whose networks have no weights here.</summary>
    private static string[] Metrics(string? weights)
    {
        using MetricNetworks? networks = weights is null ? null : MetricNetworks.Open(weights);
        return
        [
            .. PublishedResults
                .Columns.Select(c => MetricCatalogue.Find(c.MetricId))
                .Where(m => m.Network is not { } network || networks?.Has(network) == true)
                .Select(m => m.Id),
        ];
    }

    /// <summary>Writes the published columns as CSV, Markdown, JSON and a page.</summary>
    private static void Write(RunContext context, Study study, StudyMerge merged, string folder)
    {
        PieTable table = PieTable.Of(study.Plan, merged);
        StudyTable units = merged.Table(),
            own = table.ToTable(),
            kinds = table.KindsTable(),
            compared = table.Compared();
        TableData beside = new(
            string.Create(CultureInfo.InvariantCulture, $"This run in the first {table.Rows.Count} rows, published numbers below"),
            compared.Columns,
            compared.Rows
        );
        string manifest = StudyManifest.Of("pie", study, merged);
        foreach (
            (string name, string content) in ((string, string)[])
                [
                    (Units, Csv.Write(units.Columns, units.Rows)),
                    ("table.csv", Csv.Write(own.Columns, own.Rows)),
                    (Kinds, Csv.Write(kinds.Columns, kinds.Rows)),
                    (Markdown, $"{beside.ToMarkdown()}\nNumbers of pictures are in brackets. {PieTable.NotPortable}\n"),
                    ("table.json", table.ToJson()),
                    (Manifest, manifest),
                ]
        )
            WholeFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes(content));
        context.Out.Write(new TableData("", beside.Columns, [.. beside.Rows.Take(table.Rows.Count)]).ToMarkdown());
        string page = Path.Combine(folder, "index.html");
        Page(study, merged, table, beside, manifest).Write(page);
        context.Out.WriteLine($"  page        {Path.GetFullPath(page)}");
    }

    private static Report Page(Study study, StudyMerge merged, PieTable table, TableData beside, string manifest)
    {
        StudyPlan plan = study.Plan;
        IReadOnlyList<StudyRow> leftOut = table.LeftOut;
        return new Report
        {
            Title = "PIE-Bench",
            Introduction =
                $"{PieTable.NotPortable}\n\nMeans of all pictures that have a value; their number is in brackets. Pictures that may change everywhere have no "
                + "kept region, and do not count in PSNR, LPIPS, MSE and SSIM.",
            Facts =
            [
                new("Model", string.Join(", ", study.Models.Select(m => m.Name))),
                new("Pictures", Number(study.Data.Sum(d => d.Tasks.Count))),
                new("T, N, w", $"{Number(plan.Steps[0])}, {Number(plan.InnerSteps[0])}, {Number(plan.Guidance[0])}"),
                new("Metrics", plan.Mode == MaskedMode.PieOfficial ? "as in the authors' evaluation" : "corrected: only kept pixels count"),
                new("Device", string.Join(", ", merged.Rows.Select(r => r.Record?.Device).Where(d => d is not null).Distinct())),
                new("Computing", $"{Number(Math.Round(StudyManifest.Seconds(merged) / 60, 1))} min"),
            ],
            Sections =
            [
                new FigureSection
                {
                    Id = "table",
                    Title = "This run beside published rows",
                    Tables = [beside],
                    Files = [.. ((string[])["table.csv", Markdown, "table.json", Kinds, Units, "times.csv", Manifest]).Select(f => new ReportFile(f, f))],
                    Command = "nulltext bench pie --report",
                    ManifestJson = manifest,
                },
                new FigureSection
                {
                    Id = "kinds",
                    Title = "By kind of edit",
                    Tables = [.. table.KindTables().Select(t => new TableData(t.Name, t.Table.Columns, t.Table.Rows))],
                },
                new FigureSection
                {
                    Id = "left-out",
                    Title = "Pictures that are left out",
                    Caption =
                        leftOut.Count == 0
                            ? "None: every picture was edited by every combination."
                            : string.Create(
                                CultureInfo.InvariantCulture,
                                $"{leftOut.Count} edits are in no mean; table.json lists all of them, this page the first {MostListed} at most."
                            ),
                    Tables =
                        leftOut.Count == 0
                            ? []
                            :
                            [
                                new TableData(
                                    "",
                                    ["picture", "method", "editor", "status", "reason"],
                                    [
                                        .. leftOut
                                            .Take(MostListed)
                                            .Select(u =>
                                                (IReadOnlyList<string>)
                                                    [
                                                        u.Unit.Task.Id,
                                                        u.Unit.Method.Name,
                                                        u.Unit.Editor.Id,
                                                        u.Status.ToString().ToLowerInvariant(),
                                                        u.Reason ?? "",
                                                    ]
                                            ),
                                    ]
                                ),
                            ],
                },
            ],
        };
    }

    private static string Number(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);
}
