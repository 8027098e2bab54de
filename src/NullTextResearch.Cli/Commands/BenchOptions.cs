using System.CommandLine;
using System.Globalization;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;

namespace NullTextResearch.Cli.Commands;

/// <summary>What all benchmarks share: the options of their study, and how it is run and reported.</summary>
internal sealed class BenchOptions
{
    private readonly string _name;
    private readonly Option<string> _methods;
    private readonly Option<string> _editors;
    private readonly StudyRunOptions _run;
    private readonly Option<bool> _report = new("--report")
    {
        Description = "Compute no edits; write tables and page of what is in --out. The run that computes the last unit does this by itself.",
    };

    /// <summary>The options.</summary>
    /// <param name="name">Name of the benchmark: that of its command.</param>
    /// <param name="methods">Ids of the default methods.</param>
    /// <param name="editors">Ids of the default editors.</param>
    /// <param name="quick">What --quick takes instead of methods, editors, T and N; null for a benchmark without --quick.</param>
    public BenchOptions(string name, string methods, string editors, (string Methods, string Editors, int Steps, int Inner)? quick = null)
    {
        _name = name;
        _run = new StudyRunOptions { Merge = $"bench {name} --report" };
        _methods = Ids("--methods", "Methods, each with @path unless that is its own", methods, quick?.Methods);
        _editors = Ids("--editors", "Editors", editors, quick?.Editors);
        Steps = SharedOptions.Int("--steps", $"T{Quick(quick?.Steps)}.", 50, 1, 999);
        Inner = SharedOptions.Int("--inner", $"N, for methods that optimise{Quick(quick?.Inner)}.", 10, 0, 100_000);

        static string Quick(int? value) => value is { } some ? string.Create(CultureInfo.InvariantCulture, $"; {some} with --quick") : "";
    }

    /// <summary>T.</summary>
    public Option<int> Steps { get; }

    /// <summary>N.</summary>
    public Option<int> Inner { get; }

    /// <summary>Ids of methods.</summary>
    public Option<string> Methods => _methods;

    /// <summary>Ids of editors.</summary>
    public Option<string> Editors => _editors;

    /// <summary>w.</summary>
    public Option<double> Guidance { get; } = SharedOptions.Number("--guidance", "Guidance scale w.", 7.5, 0, 100);

    /// <summary>Seed.</summary>
    public Option<long> Seed { get; } = new("--seed") { Description = "Seed for methods that draw noise.", DefaultValueFactory = _ => 0 };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="ofStudy">All options that say what is studied: none of them goes with --report.</param>
    /// <param name="folder">--out.</param>
    public void AddTo(Command command, IReadOnlyList<Option> ofStudy, Option folder)
    {
        foreach (Option option in (Option[])[.. ofStudy, folder, _report])
            command.Options.Add(option);
        _run.AddTo(command);
        command.Validators.Add(result =>
        {
            if (!result.GetValue(_report))
                return;
            foreach (Option option in ofStudy.Concat(_run.OfRun).Where(o => result.GetResult(o) is { Implicit: false }))
                result.AddError($"{option.Name} and --report exclude each other: the report is about the study that is in --out.");
        });
    }

    /// <summary>Whether only a report is asked for.</summary>
    public bool Reports(System.CommandLine.Parsing.CommandResult result) => result.GetValue(_report);

    /// <summary>The methods that are asked for; every id is checked.</summary>
    public string[] NamedMethods(string text) => Named(_methods.Name, text, name => MethodChoice.Parse(name));

    /// <summary>The editors that are asked for; every id is checked.</summary>
    public string[] NamedEditors(string text) => Named(_editors.Name, text, EditorCatalogue.Find);

    /// <summary>A model for a study that lies in the folder of the results, where its paths start.</summary>
    public static StudyModelChoice ModelOf(string model, string? precision = null)
    {
        if (model == SharedOptions.EmbeddedModel || !Path.Exists(model))
            return new StudyModelChoice { Model = model, Precision = precision };
        string name = Path.TrimEndingDirectorySeparator(model);
        return new StudyModelChoice
        {
            Model = Path.GetFullPath(model),
            Name = Directory.Exists(name) ? Path.GetFileName(name) : Path.GetFileNameWithoutExtension(name),
            Precision = precision,
        };
    }

    /// <summary>Runs the study, or a shard of it, and reports once it is complete; writes a batch script; or reports what is there.</summary>
    /// <param name="context">The command's context.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">Folder of the results.</param>
    /// <param name="plan">Makes the study.</param>
    /// <param name="write">Writes tables and page.</param>
    /// <returns>The exit code.</returns>
    public int Run(RunContext context, ParseResult parsed, string folder, Func<StudyPlan> plan, Action<Study, StudyMerge> write)
    {
        string file = Path.Combine(folder, "study.json");
        if (parsed.GetValue(_report))
            return File.Exists(file)
                ? Report()
                : throw new CommandException($"There is no benchmark in {folder}: {file} is missing. Run it first, or name its folder with --out.");
        StudyPlan made = plan();
        int code = _run.Run(context, parsed, made, file, folder);
        if (_run.Emits(parsed))
        {
            StudyCommand.Keep(file, made.ToJson());
            return code;
        }
        if (code != CommandRunner.Done)
            return code;
        int missing = StudyMerge.Of(StudyCommand.Open(context, made, "cpu"), folder).Missing.Count;
        if (missing == 0)
            return Report();
        context.Out.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{missing} units of other shards are missing; the last shard writes the tables and the page, or ")
                + $"'nulltext bench {_name} --report --out {folder}' writes those of what is there"
        );
        return CommandRunner.Done;

        int Report() => StudyCommand.Join(context, file, folder, partial: true, write);
    }

    private static Option<string> Ids(string name, string description, string ids, string? ofQuick) =>
        new(name)
        {
            Description = $"{description}, separated by commas ('nulltext methods' lists them){(ofQuick is null ? "" : $"; {ofQuick} with --quick")}.",
            HelpName = "ids",
            DefaultValueFactory = _ => ids,
        };

    private static string[] Named<T>(string option, string text, Func<string, T> find)
    {
        string[] ids = SharedOptions.Ids(option, text);
        foreach (string id in ids)
            SharedOptions.Named(option, () => find(id));
        return ids;
    }
}
