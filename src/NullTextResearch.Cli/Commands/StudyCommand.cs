using System.CommandLine;
using System.Globalization;
using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext study`: many pictures, methods and editors, on one machine or many.</summary>
internal static class StudyCommand
{
    // What is listed of missing, failed and refused units; the files have all of them.
    private const int MostListed = 10;

    public static Command Create() =>
        new Command("study", "Edit a set of pictures with every combination of models, methods and editors; in shards that resume.")
        {
            Plan(),
            Run(),
            Merge(),
        }.WithExamples(
            "nulltext study plan study.json",
            "nulltext study run study.json --out runs/study",
            "nulltext study run study.json --out runs/study --shard 0/4",
            "nulltext study merge study.json --out runs/study"
        );

    private static Command Plan()
    {
        Argument<string> file = FileArgument();
        Command command = new("plan", "Count the units of a study and the network evaluations that they cost at most; computes nothing.") { file };
        CommandRunner.Handle(command, (parsed, context) => Count(context, StudyPlan.Read(parsed.GetValue(file)!)));
        return command.WithExamples("nulltext study plan study.json");
    }

    private static Command Run()
    {
        Argument<string> file = FileArgument();
        Option<string> folder = FolderOption("Folder of the results, which all shards share; what is finished there is not computed again.");
        StudyRunOptions options = new();
        Command command = new("run", "Compute what is missing of a study, or of one shard.") { file, folder };
        options.AddTo(command);
        CommandRunner.Handle(
            command,
            (parsed, context) => options.Run(context, parsed, StudyPlan.Read(parsed.GetValue(file)!), parsed.GetValue(file)!, parsed.GetValue(folder)!)
        );
        return command.WithExamples(
            "nulltext study run study.json --out runs/study",
            "nulltext study run study.json --out runs/study --shard 0/4",
            "nulltext study run study.json --out runs/study --device cuda --emit slurm --array 64 --gpus 1 --time 04:00:00 --account mine"
        );
    }

    private static Command Merge()
    {
        Argument<string> file = FileArgument();
        Option<string> folder = FolderOption("Folder of the results; the tables are written there.");
        Option<bool> partial = new("--partial") { Description = "Write the tables even if units are missing or failed; the exit code stays 1." };
        Command command = new("merge", "Put the results of all shards together: table.csv, summary.csv, times.csv, table.json.") { file, folder, partial };
        CommandRunner.Handle(command, (parsed, context) => Join(context, parsed.GetValue(file)!, parsed.GetValue(folder)!, parsed.GetValue(partial)));
        return command.WithExamples("nulltext study merge study.json --out runs/study");
    }

    private static Argument<string> FileArgument() => new("STUDY") { Description = "The study's JSON file.", HelpName = "STUDY" };

    private static Option<string> FolderOption(string description) => new("--out") { Description = description, Required = true };

    private static int Count(RunContext context, StudyPlan plan)
    {
        // Keys need the models' files, counting does not: a study can be planned where its models are not.
        Study study = new(
            plan,
            Study.OpenData(plan),
            [.. plan.Models.Select(m => new StudyModel(m.Label, m.Label, new SizeRule(8, 512), () => throw NotHere(m)))]
        );
        StudyUnit[] computed = [.. study.Units.Where(u => u.Refusal is null)];
        MethodCost[] inversions = [.. computed.DistinctBy(u => u.InversionKey.Hash).Select(u => u.InversionCost)],
            edits = [.. computed.Select(u => u.EditCost)];
        TextWriter output = context.Out;
        Line("tasks", string.Join(", ", study.Data.Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Name} {d.Tasks.Count}"))));
        Line("units", Number(study.Units.Count));
        Line("refused", Number(study.Units.Count - computed.Length));
        Line("inversions", $"{Number(inversions.Length)}; at most {Costs(inversions)}");
        Line("edits", $"{Number(edits.Length)}; {Costs(edits)}");
        output.WriteLine(
            "Evaluations of the network by the catalogue's formulas; reconstructions (2 T per inversion at most) and the autoencoder come on top."
        );
        IGrouping<string, StudyUnit>[] refused =
        [
            .. study.Units.Where(u => u.Refusal is not null).GroupBy(u => u.Method.Refusal is { } reason ? $"{u.Method.Name}: {reason}" : u.Refusal!),
        ];
        foreach (IGrouping<string, StudyUnit> reason in refused.Take(MostListed))
            output.WriteLine($"refused: {reason.Key}{(refused.Length > 1 ? $" ({Number(reason.Count())} units)" : "")}");
        if (refused.Length > MostListed)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"refused: for {refused.Length - MostListed} more reasons"));
        return CommandRunner.Done;

        void Line(string name, string value) => output.WriteLine($"{name, -12}{value}");
    }

    private static string Costs(IReadOnlyList<MethodCost> costs) =>
        $"{Number(costs.Sum(c => c.Forwards))} evaluations, {Number(costs.Sum(c => c.Backwards))} of them with a backward pass";

    private static string Number(double number) => number.ToString("0", CultureInfo.InvariantCulture);

    private static InvalidOperationException NotHere(StudyModelChoice model) => new($"{model.Model} is not loaded to count units.");

    /// <summary>Computes what is missing of a shard.</summary>
    public static int Compute(RunContext context, StudyPlan plan, string folder, StudyShard shard, string device)
    {
        Study study = Open(context, plan, device);
        // What was run; and where it cannot be written, nothing else can.
        Keep(Path.Combine(folder, "study.json"), plan.ToJson());
        using MetricNetworks? networks = plan.Weights is { } weights
            ? MetricNetworks.Open(Path.GetFullPath(weights, plan.Folder), ComputeDevice.Parse(device))
            : null;
        // The embedded model brings the classifier of the toy scenes, whichever model is studied.
        using SceneEditJudge? judge = study.Data.OfType<ToyEditDataset>().FirstOrDefault() is { } toys
            ? SceneEditJudge.Load(toys, SharedOptions.ModelPath(SharedOptions.EmbeddedModel))
            : null;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.Cancel);
        using IDisposable? announced = AnnouncedStop.On(stop);
        StudyOutcome outcome;
        try
        {
            outcome = context.Track(progress =>
                new StudyRunner(study, folder)
                {
                    Networks = networks,
                    Judge = judge,
                    Device = device.Split(':')[0],
                    Progress = progress,
                }.Run(shard, stop.Token)
            );
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            context.Error.WriteLine($"cancelled; finished units are kept in {folder}: the same command resumes from there.");
            return CommandRunner.Cancelled;
        }
        context.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"shard {shard}: {outcome.Planned} units; {outcome.Found} from earlier runs ({outcome.Scored} of them scored anew), "
            ) + string.Create(CultureInfo.InvariantCulture, $"{outcome.Computed} computed, {outcome.Refused} refused, {outcome.Failures.Count} failed")
        );
        if (outcome.Failures.Count == 0)
            return CommandRunner.Done;
        foreach (UnitRecord failure in outcome.Failures.Take(MostListed))
            context.Error.WriteLine($"failed: {failure.Slot}: {failure.Stage}: {failure.Reason}");
        context.Error.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"error: {outcome.Failures.Count} units failed; their error records are in ")
                + $"{Path.Combine(folder, "failed")}. All other units are finished; the same command tries the failed ones again."
        );
        return CommandRunner.Failed;
    }

    /// <summary>Writes the tables of a study, and whatever else <paramref name="then"/> makes of the results.</summary>
    public static int Join(RunContext context, string file, string folder, bool partial, Action<Study, StudyMerge>? then = null)
    {
        Study study = Open(context, StudyPlan.Read(file), "cpu");
        StudyMerge merged = StudyMerge.Of(study, folder);
        foreach (string note in merged.Notes)
            context.Error.WriteLine($"note: {note}");
        context.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{merged.Done} units done, {merged.Refused} refused, {merged.Failed.Count} failed, {merged.Missing.Count} missing"
            )
        );
        if (merged.IsComplete || partial)
        {
            foreach (
                (string name, StudyTable table) in ((string, StudyTable)[])[("table", merged.Table()), ("summary", merged.Summary()), ("times", merged.Times())]
            )
            {
                WriteTable(context, folder, name, table);
            }
            WholeFile.Write(Path.Combine(folder, "table.json"), Encoding.UTF8.GetBytes(merged.ToJson()));
            then?.Invoke(study, merged);
        }
        if (merged.IsComplete)
            return CommandRunner.Done;
        foreach ((StudyUnit unit, UnitRecord record) in merged.Failed.Take(MostListed))
            context.Error.WriteLine($"failed: {unit.Slot}: {record.Stage}: {record.Reason}");
        foreach (StudyUnit unit in merged.Missing.Take(MostListed))
            context.Error.WriteLine($"missing: {unit.Slot}");
        context.Error.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"error: the study is incomplete: {merged.Missing.Count} units are missing and {merged.Failed.Count} ")
                + $"failed. 'nulltext study run {file} --out {folder}' computes them"
                + (partial ? "." : "; with --partial, merge writes tables of what is there.")
        );
        return CommandRunner.Failed;
    }

    /// <summary>Writes a table as CSV, and names its file.</summary>
    public static void WriteTable(RunContext context, string folder, string name, StudyTable table)
    {
        string path = Path.Combine(folder, $"{name}.csv");
        WholeFile.Write(path, Encoding.UTF8.GetBytes(Csv.Write(table.Columns, table.Rows)));
        context.Out.WriteLine($"  {name, -12}{path}");
    }

    /// <summary>Writes a batch script that computes a study.</summary>
    public static int Emit(RunContext context, StudyPlan plan, string script, SlurmScript job)
    {
        // A mistake in the study is told now, and not by every task of the array.
        Study study = Open(context, plan, "cpu");
        Directory.CreateDirectory(job.Logs);
        WholeFile.Write(script, Encoding.UTF8.GetBytes(job.ToText()));
        string manifest = Path.ChangeExtension(script, ".json");
        WholeFile.Write(manifest, Encoding.UTF8.GetBytes(job.ToManifest(study)));
        context.Out.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{study.Units.Count} units in {job.Shards} shards; ")
                + $"'bash {script}' submits the array and, after it, the merge"
        );
        context.Out.WriteLine($"  script      {script}");
        context.Out.WriteLine($"  manifest    {manifest}");
        return CommandRunner.Done;
    }

    /// <summary>Opens the data and finds the models of a study; loads none of them.</summary>
    public static Study Open(RunContext context, StudyPlan plan, string device)
    {
        // Data first: that pictures are missing is found out before a model is looked for.
        IReadOnlyList<IEditDataset> data = Study.OpenData(plan);
        return new Study(plan, data, [.. plan.Models.Select(m => ModelOf(context, plan, data, m, device))]);
    }

    private static StudyModel ModelOf(RunContext context, StudyPlan plan, IReadOnlyList<IEditDataset> data, StudyModelChoice choice, string device)
    {
        string beside = Path.GetFullPath(choice.Model, plan.Folder);
        ModelRequest request = new()
        {
            Name = choice.Model != SharedOptions.EmbeddedModel && Path.Exists(beside) ? beside : choice.Model,
            Variant = choice.Variant,
            Prediction = choice.Prediction switch
            {
                "epsilon" => PredictionType.Epsilon,
                "v" => PredictionType.Velocity,
                _ => null,
            },
            Tokenizer = choice.Tokenizer is { } tokenizer ? Path.GetFullPath(tokenizer, plan.Folder) : null,
            Device = device,
            Precision = choice.Precision,
            VaePrecision = choice.VaePrecision,
            Memory = new MemoryOptions
            {
                Checkpointing = choice.Checkpointing,
                Sequential = choice.Sequential,
                Offload = choice.Offload,
                VaeTile = choice.VaeTile,
            },
        };
        ModelSource found = request.Find(context);
        // Rounding differs with the precision, so it belongs to the model's identity.
        string identity = $"{RunFolder.ModelIdentity(found)}, {found.Options.Numerics}";
        return new StudyModel(choice.Label, identity, found.Sizes, () => request.Load(context, found, Demand()));

        MemoryDemand Demand()
        {
            _ = ImageSizing.TryParse(plan.Size, out ImageSizing? sizing);
            // The first picture of each data set stands for the others.
            PixelSize largest = data.Where(d => d.Tasks.Count > 0)
                .Select(d => (sizing ?? ImageSizing.Own).For(PixelSize.Of(d.Picture(d.Tasks[0])), found.Sizes))
                .MaxBy(s => s.Area);
            return new MemoryDemand
            {
                ImageSize = largest,
                Rows = 4,
                GradientRows = plan.Methods.Any(m => InversionCatalogue.Find(m.Split('@')[0]).Optimises) ? 1 : 0,
                ExplicitAttention = true,
            };
        }
    }

    /// <summary>Writes a file unless it has this content: shards that start together do not replace each other's.</summary>
    public static void Keep(string path, string content)
    {
        if (!File.Exists(path) || File.ReadAllText(path) != content)
            WholeFile.Write(path, Encoding.UTF8.GetBytes(content));
    }
}
