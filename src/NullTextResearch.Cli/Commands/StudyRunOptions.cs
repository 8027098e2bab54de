using System.CommandLine;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Running;

namespace NullTextResearch.Cli.Commands;

/// <summary>The options of every command that runs a study: shards, the device, and batch scripts instead of computing.</summary>
internal sealed class StudyRunOptions
{
    private static readonly string[] Emitters = ["slurm"];

    private readonly Option<string?> _shard = new("--shard")
    {
        Description = "Compute one of n shards, zero-based: 0/4 to 3/4 (default: all units). n may change between runs.",
        HelpName = "i/n",
    };
    private readonly Option<string> _device;
    private readonly bool _ownsDevice;
    private readonly Option<string?> _emit = new("--emit") { Description = "Compute nothing; write a batch script that does, for: slurm." };
    private readonly Option<string?> _script = new("--out-script")
    {
        Description = "With --emit: the script (default: slurm.sh in --out); a manifest is put beside it.",
    };
    private readonly Option<string?> _array = new("--array")
    {
        Description = "With --emit: number of shards, one task of the array each; 64%8 runs eight of them at a time.",
        HelpName = "n",
    };
    private readonly Option<string?> _account = new("--account") { Description = "With --emit: passed on to sbatch." };
    private readonly Option<string?> _partition = new("--partition") { Description = "With --emit: passed on to sbatch." };
    private readonly Option<string?> _gpus = new("--gpus") { Description = "With --emit: GPUs of a task, passed on to sbatch." };
    private readonly Option<string?> _time = new("--time") { Description = "With --emit: time limit of a task, passed on to sbatch." };
    private readonly Option<string[]> _more = new("--sbatch")
    {
        Description = "With --emit: a further option for sbatch, such as --sbatch=--mem=16G; may be repeated.",
    };
    private readonly Option<int> _requeues = SharedOptions.Int("--requeues", "With --emit: how often a stopped task may requeue itself.", 3, 0, 1000);

    /// <summary>The options.</summary>
    /// <param name="device">The device's option where the command has one already; null adds it.</param>
    public StudyRunOptions(Option<string>? device = null)
    {
        (_device, _ownsDevice) = (device ?? SharedOptions.Device(), device is null);
        _shard.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !StudyShard.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"--shard is '{result.Tokens[0].Value}'; it must be i/n with i from 0 to n - 1, such as 0/4.");
        });
        _emit.CompletionSources.Add(Emitters);
        _emit.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !Emitters.Contains(result.Tokens[0].Value))
                result.AddError($"--emit is '{result.Tokens[0].Value}'; it must be slurm.");
        });
        _array.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !SlurmScript.TryParseArray(result.Tokens[0].Value, out _, out _))
                result.AddError($"--array is '{result.Tokens[0].Value}'; it must be a number of tasks, 1 or more, such as 64, or 64%8.");
        });
    }

    /// <summary>Those that say what is run and how.</summary>
    public IReadOnlyList<Option> OfRun => _ownsDevice ? [_shard, _device, _emit] : [_shard, _emit];

    /// <summary>The others, which only --emit takes.</summary>
    public IReadOnlyList<Option> OfEmit => [_script, _array, _account, _partition, _gpus, _time, _more, _requeues];

    /// <summary>What a merge job runs after the array, without the program and --out; null for the study's own merge.</summary>
    public string? Merge { get; init; }

    /// <summary>Adds the options and what they require of each other.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in OfRun.Concat(OfEmit))
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_emit) is null)
            {
                foreach (Option option in OfEmit.Where(o => result.GetResult(o) is { Implicit: false }))
                    result.AddError($"{option.Name} is for --emit slurm; give that too, or leave it out.");
            }
            // Another value than slurm has an error of its own.
            else if (Emitters.Contains(result.GetValue(_emit)) && result.GetValue(_array) is null)
                result.AddError("--emit needs the number of shards: give --array, such as --array 4.");
            else if (result.GetValue(_shard) is not null)
                result.AddError("--emit and --shard exclude each other: the script gives each task its shard.");
        });
    }

    /// <summary>Whether a script is written and nothing computed.</summary>
    public bool Emits(ParseResult parsed) => parsed.GetValue(_emit) is not null;

    /// <summary>The shard to compute; the whole if none is named.</summary>
    public StudyShard Shard(ParseResult parsed) => StudyShard.TryParse(parsed.GetValue(_shard), out StudyShard? part) ? part : StudyShard.Whole;

    /// <summary>Where the script goes.</summary>
    public string ScriptPath(ParseResult parsed, string into) => parsed.GetValue(_script) ?? Path.Combine(into, "slurm.sh");

    /// <summary>The script that the options ask for.</summary>
    /// <param name="context">The command's context.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="name">Name of the job.</param>
    /// <param name="path">The study's file.</param>
    /// <param name="into">Folder of the results.</param>
    public SlurmScript Script(RunContext context, ParseResult parsed, string name, string path, string into)
    {
        _ = SlurmScript.TryParseArray(parsed.GetValue(_array), out int shards, out int? together);
        return new SlurmScript
        {
            Name = name,
            Study = Path.GetFullPath(path),
            Out = Path.GetFullPath(into),
            Shards = shards,
            Together = together,
            Requeues = parsed.GetValue(_requeues),
            Account = parsed.GetValue(_account),
            Partition = parsed.GetValue(_partition),
            Gpus = parsed.GetValue(_gpus),
            Time = parsed.GetValue(_time),
            More = parsed.GetValue(_more) ?? [],
            Device = parsed.GetValue(_device)!,
            Threads = context.Asked,
            Merge = Merge,
        };
    }

    /// <summary>Computes a study, or a shard of it, or writes the script that does.</summary>
    /// <param name="context">The command's context.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="plan">The study.</param>
    /// <param name="path">Its file, for the script.</param>
    /// <param name="into">Folder of the results.</param>
    /// <returns>The exit code.</returns>
    public int Run(RunContext context, ParseResult parsed, StudyPlan plan, string path, string into)
    {
        return Emits(parsed)
            ? StudyCommand.Emit(context, plan, ScriptPath(parsed, into), Script(context, parsed, plan.Name, path, into))
            : StudyCommand.Compute(context, plan, into, Shard(parsed), parsed.GetValue(_device)!);
    }
}
