using System.CommandLine;
using System.CommandLine.Completions;
using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Inversion;
using NullTextResearch.Perception;
using NullTextResearch.Text;
using TorchSharp;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext methods`: the catalogue of methods, paths, editors and metrics, and which of them go together.</summary>
internal static class MethodsCommand
{
    public static Command Create()
    {
        Argument<string?> id = new("ID")
        {
            Description = "A method, path or editor whose options and defaults to list (for --set), or a metric.",
            Arity = ArgumentArity.ZeroOrOne,
            HelpName = "ID",
        };
        id.CompletionSources.Add(_ =>
            [.. Everything().Select(e => e.Id).Concat(MetricCatalogue.All.Select(m => m.Id)).Select(i => new CompletionItem(i)).DistinctBy(e => e.Label)]
        );
        Option<bool> markdown = new("--markdown") { Description = "Print Markdown tables, as in docs/methods.md." };
        Option<int?> quirks = new("--quirks")
        {
            Description = "Measure on this many rendered scenes what each quirk of an original code changes (T = 20, N = 10), and print a Markdown table.",
        };
        quirks.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 2)
                result.AddError("--quirks needs at least 2 scenes: it compares pairs.");
        });
        Option<int?> cost = new("--null-text-cost")
        {
            Description = "Measure on this many rendered scenes what each variant of null-text optimisation costs and reaches, and write a page.",
        };
        cost.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 2 or > ToyEditDataset.MostTasks)
                result.AddError($"--null-text-cost needs 2 to {ToyEditDataset.MostTasks} scenes: it compares pairs.");
        });
        Option<int> timesteps = SharedOptions.Int("--timesteps", "T for --null-text-cost.", ExperimentSettings.Default.Steps, 2, 999);
        Option<string[]> variants = new("--variant")
        {
            Description = "Variants for --null-text-cost, by name (default: all); they are compared with the first of them in the list of all.",
            AllowMultipleArgumentsPerToken = false,
        };
        variants.AcceptOnlyFromAmong([.. NullTextVariant.All.Append(NullTextVariant.Furthest).Select(v => v.Name)]);
        Option<string?> folder = new("--out") { Description = "Folder that keeps the results of --quirks or --null-text-cost (default: runs/ and that name)." };
        Command command = new("methods", "List methods, paths, editors and metrics: what they do, where they come from, what they cost, which can be combined.")
        {
            id,
            markdown,
            quirks,
            cost,
            timesteps,
            variants,
            folder,
        };
        command.Validators.Add(result =>
        {
            bool one = result.GetResult(id) is { Tokens.Count: > 0 },
                tables = result.GetValue(markdown);
            Option[] measured = [.. new Option[] { quirks, cost }.Where(o => result.GetResult(o) is { Implicit: false })];
            if (one && tables)
                result.AddError("--markdown prints the tables of everything: leave out either it or the ID.");
            foreach (Option option in measured.Where(_ => one || tables))
                result.AddError($"{option.Name} measures and prints a table of its own: leave out either it or {(one ? "the ID" : "--markdown")}.");
            if (measured.Length > 1)
                result.AddError("--quirks and --null-text-cost are separate measurements: give one of them.");
            foreach (Option option in new Option[] { timesteps, variants }.Where(o => result.GetResult(o) is { Implicit: false } && !measured.Contains(cost)))
                result.AddError($"{option.Name} is for --null-text-cost; give that too, or leave it out.");
            if (measured.Length == 0 && result.GetResult(folder) is { Implicit: false })
                result.AddError("--out is for --quirks and --null-text-cost; give one of them too, or leave it out.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                if (parsed.GetValue(quirks) is { } scenes)
                    MeasureQuirks(context, scenes, parsed.GetValue(folder) ?? Path.Combine("runs", "quirks"));
                else if (parsed.GetValue(cost) is { } rendered)
                    MeasureCost(
                        context,
                        rendered,
                        parsed.GetValue(timesteps),
                        parsed.GetValue(variants) ?? [],
                        parsed.GetValue(folder) ?? Path.Combine("runs", "null-text-cost")
                    );
                else if (parsed.GetValue(id) is { } one)
                    Explain(context, one);
                else if (parsed.GetValue(markdown))
                    context.Out.Write(string.Join('\n', Tables().Select(t => $"**{t.Title}**\n\n{t.ToMarkdown()}")));
                else
                    context.Out.WriteLine(
                        $"Methods (--method)\n{InversionCatalogue.ToText()}\n\nPaths (--path)\n{PathCatalogue.ToText()}\n\n"
                            + $"Editors (--editor)\n{EditorCatalogue.ToText()}\n\nMetrics ('nulltext measure')\n{MetricCatalogue.ToText()}"
                    );
                return CommandRunner.Done;
            }
        );
        return command.WithExamples(
            "nulltext methods",
            "nulltext methods null-text",
            "nulltext methods --markdown",
            "nulltext methods --quirks 12",
            "nulltext methods --null-text-cost 32"
        );
    }

    private static void MeasureCost(RunContext context, int scenes, int timesteps, IReadOnlyList<string> names, string folder)
    {
        using OutputLock alone = OutputLock.OnFolder(folder);
        torch.set_num_threads(1);
        using StableDiffusion model = StableDiffusion.LoadMini();
        ExperimentSettings settings = ExperimentSettings.Default with { Steps = timesteps };
        bool Asked(NullTextVariant variant) => names.Count == 0 || names.Contains(variant.Name);
        NullTextVariant[] asked = [.. NullTextVariant.All.Where(Asked)];
        IReadOnlyList<NullTextCostRow> rows = Measured(scenes, asked.Length > 0 ? asked : [NullTextVariant.Released]);
        // The longest optimisation takes minutes for each scene.
        int few = Math.Min(scenes, 8);
        NullTextReach? reach = Asked(NullTextVariant.Furthest)
            ? new(Measured(few, [NullTextVariant.Furthest])[0], rows[0].First(few), model.Grid(settings.Steps), settings.GuidanceScale)
            : null;
        string command = $"nulltext methods --null-text-cost {scenes} --timesteps {timesteps}{string.Concat(names.Select(name => $" --variant \"{name}\""))}";
        Report page = NullTextCostPage.Of(
            rows,
            [
                new("Model", $"{model.Name}, {model.Fingerprint()[..12]}"),
                new("Images", $"{scenes} held-out scenes of toy-edit"),
                new("Grid", FormattableString.Invariant($"T = {settings.Steps}, w = {settings.GuidanceScale}")),
            ],
            command,
            reach
        );
        string path = Path.Combine(folder, "index.html");
        WholeFile.Write(path, Encoding.UTF8.GetBytes(page.ToHtml()));
        foreach (TableData table in page.Sections.SelectMany(section => section.Tables))
            context.Out.WriteLine(table.ToMarkdown());
        WholeFile.Write(Path.Combine(folder, "variants.csv"), Encoding.UTF8.GetBytes(page.Sections[0].Tables[0].ToCsv()));
        WholeFile.Write(Path.Combine(folder, "images.csv"), Encoding.UTF8.GetBytes(NullTextCostPage.Images(rows).ToCsv()));
        NullTextCostRow[] all = reach is null ? [.. rows] : [.. rows, reach.Furthest];
        string manifest = NullTextCostManifest.Of(command, model.Name, model.Fingerprint(), settings, all);
        WholeFile.Write(Path.Combine(folder, "manifest.json"), Encoding.UTF8.GetBytes(manifest));
        context.Out.WriteLine(path);

        IReadOnlyList<NullTextCostRow> Measured(int count, IReadOnlyList<NullTextVariant> variants)
        {
            ToyEditDataset dataset = new(count, model.ImageSize);
            using ExperimentLab lab = new(model, NullTextCost.Images(dataset), settings with { BatchSize = 1 }, new ResultCache(folder))
            {
                Workers = Math.Min(context.AllThreads, count),
                Cancellation = context.Cancel,
            };
            using SceneEditJudge? judge = lab.Classifier is { } classifier ? new SceneEditJudge(dataset, classifier) : null;
            return NullTextCost.Run(lab, dataset, judge, variants, line => context.Error.WriteLine(line));
        }
    }

    private static void MeasureQuirks(RunContext context, int scenes, string folder)
    {
        using OutputLock alone = OutputLock.OnFolder(folder);
        torch.set_num_threads(1);
        using StableDiffusion model = StableDiffusion.LoadMini();
        ExperimentSettings settings = ExperimentSettings.Quick with { BatchSize = 1 };
        using ExperimentLab lab = new(model, ExperimentImages.Toy(scenes, model.ImageSize), settings, new ResultCache(folder))
        {
            Workers = Math.Min(context.AllThreads, scenes),
            Cancellation = context.Cancel,
        };
        context.Out.WriteLine(QuirkStudy.ToMarkdown(QuirkStudy.Run(lab, log: line => context.Error.WriteLine(line))));
    }

    private static void Explain(RunContext context, string id)
    {
        if (MetricCatalogue.All.FirstOrDefault(m => m.Id == id) is { } metric)
        {
            context.Out.WriteLine(Described(metric));
            return;
        }
        Entry[] named = [.. Everything().Where(e => e.Id == id)];
        if (named.Length == 0)
        {
            string[] known = [.. Everything().Select(e => e.Id).Concat(MetricCatalogue.All.Select(m => m.Id)).Distinct()];
            throw new UsageException($"There is no method, path, editor or metric '{id}'; known: {string.Join(", ", known)}{Spelling.Hint(id, known)}");
        }
        foreach (Entry entry in named)
        {
            context.Out.WriteLine($"{entry.Kind} {entry.Id}: {entry.Summary}");
            IReadOnlyList<NamedOption> options = NamedOptions.Of(entry.Options);
            if (options.Count == 0)
                context.Out.WriteLine("  no options");
            (string Name, string Value, string Kind)[] rows =
            [
                .. options.Select(o => (entry.Prefix + o.Name, o.Value.Length == 0 ? "(not set)" : o.Value, o.Kind)),
            ];
            int name = rows.Select(r => r.Name.Length).DefaultIfEmpty().Max(),
                value = rows.Select(r => r.Value.Length).DefaultIfEmpty().Max();
            foreach ((string Name, string Value, string Kind) row in rows)
                context.Out.WriteLine($"  {row.Name.PadRight(name)} = {row.Value.PadRight(value)}   {row.Kind}");
        }
    }

    /// <summary>All entries with their options; a method that is itself a path has the path's options.</summary>
    private static IEnumerable<Entry> Everything() =>
        [
            .. InversionCatalogue.All.Select(m => new Entry("--method", m.Id, m.Summary, m.Create(new MethodRequest()).Options, "")),
            .. PathCatalogue.All.Select(p => new Entry("--path", p.Id, p.Summary, p.Default, InversionCatalogue.PathPrefix)),
            .. EditorCatalogue.All.Select(e => new Entry("--editor", e.Id, e.Summary, e.Default, "")),
        ];

    private static string Better(Metric metric) => metric.Direction == MetricDirection.Higher ? "higher" : "lower";

    private static string Described(Metric metric)
    {
        string needs = Metric.InWords(metric.Needs) + (metric.Network is { } network ? $", weights of {network}" : "");
        return $"""
            metric {metric.Id}: {metric.Summary}
              from      {metric.Source}
              range     {metric.Range}, {Better(metric)} is better
              pixels    {metric.PixelScale}
              needs     {needs}
              equal to  {metric.EqualTo}
            """;
    }

    private sealed record Entry(string Kind, string Id, string Summary, object Options, string Prefix);

    private static IEnumerable<TableData> Tables()
    {
        yield return new(
            "Inversion methods",
            ["`--method`", "what it does", "source", "network evaluations at most", "memory in addition to plain inversion", "equal to"],
            [.. InversionCatalogue.All.Select(m => (IReadOnlyList<string>)[$"`{m.Id}`", m.Summary, m.Source, m.CostFormula, m.Memory, m.EqualTo.ToString()])]
        );
        yield return new(
            "Paths",
            ["`--path`", "what it does", "source", "network evaluations at most", "memory in addition to plain inversion", "equal to"],
            [.. PathCatalogue.All.Select(p => (IReadOnlyList<string>)[$"`{p.Id}`", p.Summary, p.Source, p.CostFormula, p.Memory, p.EqualTo.ToString()])]
        );
        yield return new(
            "Editors",
            ["`--editor`", "what it does", "source", "network evaluations, image and edit", "memory in addition to sampling", "equal to"],
            [.. EditorCatalogue.All.Select(e => (IReadOnlyList<string>)[$"`{e.Id}`", e.Summary, e.Source, e.CostFormula, e.Memory, e.EqualTo.ToString()])]
        );
        yield return new(
            "Metrics",
            ["`--metrics`", "what it measures", "source", "range", "better", "pixels", "weights of", "modes", "equal to"],
            [
                .. MetricCatalogue.All.Select(m =>
                    (IReadOnlyList<string>)
                        [$"`{m.Id}`", m.Summary, m.Source, m.Range, Better(m), m.PixelScale, m.Network?.ToString() ?? "", m.HasModes ? "both" : "", m.EqualTo]
                ),
            ]
        );
        yield return new(
            "Which go together",
            ["method", .. PathCatalogue.All.Select(p => $"on `{p.Id}`")],
            [
                .. InversionCatalogue
                    .All.Where(m => m.TakesPath)
                    .Select(m =>
                        (IReadOnlyList<string>)[$"`{m.Id}`", .. PathCatalogue.All.Select(p => InversionCatalogue.Refusal(m, p) is null ? "yes" : "no")]
                    ),
            ]
        );
    }
}
