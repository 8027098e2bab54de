using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NullTextResearch.Benchmarks;

namespace NullTextResearch.Cli.Running;

/// <summary>
/// A batch script for Slurm: an array with one task per shard, and the merge after it. What a cluster decides (account, partition, GPUs, time) is passed
/// on and never guessed.
/// </summary>
internal sealed partial record SlurmScript
{
    // Seconds before the time limit; a unit in progress is dropped within one step of it.
    private const int Warning = 120;

    public required string Name { get; init; }

    /// <summary>Full path of the study's file.</summary>
    public required string Study { get; init; }

    /// <summary>Full path of the folder of results.</summary>
    public required string Out { get; init; }

    public required int Shards { get; init; }

    /// <summary>Tasks that run at the same time; null for as many as there are places.</summary>
    public required int? Together { get; init; }

    public required int Requeues { get; init; }

    public string? Account { get; init; }

    public string? Partition { get; init; }

    public string? Gpus { get; init; }

    public string? Time { get; init; }

    /// <summary>Further options of sbatch, each as it is written there.</summary>
    public IReadOnlyList<string> More { get; init; } = [];

    public string Device { get; init; } = "cpu";

    public int? Threads { get; init; }

    /// <summary>What a task runs, without the program, --out, --shard and --device; null for the study.</summary>
    public IReadOnlyList<string>? Run { get; init; }

    /// <summary>Folder in which tasks and merge run, for relative paths of their commands; null for where the script is submitted.</summary>
    public string? Folder { get; init; }

    /// <summary>What runs after the array, without the program and --out; null for the study's merge.</summary>
    public string? Merge { get; init; }

    /// <summary>Where the jobs' outputs go.</summary>
    public string Logs => Path.Combine(Out, "slurm");

    /// <summary>Parses <c>64</c> or <c>64%8</c>.</summary>
    public static bool TryParseArray(string? text, out int shards, out int? together)
    {
        (shards, together) = (0, null);
        if (Array().Match(text ?? "") is not { Success: true } match || !int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out shards))
            return false;
        if (match.Groups[2].Success)
        {
            if (!int.TryParse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture, out int some) || some == 0)
                return false;
            together = some;
        }
        return shards > 0;
    }

    /// <summary>The script.</summary>
    /// <exception cref="UsageException">A value cannot stand in a script.</exception>
    public string ToText()
    {
        string[] shared =
        [
            .. Account is { } account ? (string[])[$"--account={account}"] : [],
            .. Partition is { } partition ? (string[])[$"--partition={partition}"] : [],
            .. Time is { } time ? (string[])[$"--time={time}"] : [],
            .. Folder is { } folder ? (string[])[$"--chdir={folder}"] : [],
        ];
        string[] own =
        [
            $"--job-name={Name}",
            string.Create(CultureInfo.InvariantCulture, $"--array=0-{Shards - 1}{(Together is { } some ? $"%{some}" : "")}"),
            "--requeue",
            string.Create(CultureInfo.InvariantCulture, $"--signal=B:USR1@{Warning}"),
            "--open-mode=append",
            $"--output={Path.Combine(Logs, "%A_%a.log")}",
            .. shared,
            .. Gpus is { } gpus ? (string[])[$"--gpus={gpus}"] : [],
            .. More,
        ];
        string[] program = Program();
        string[] options = ["--device", Device, .. Threads is { } threads ? (string[])["--threads", threads.ToString(CultureInfo.InvariantCulture)] : []];
        string[] ofMerge = [.. shared, $"--job-name={Name}-merge", $"--output={Path.Combine(Logs, "merge-%j.log")}"];
        foreach (string wrong in ((string[])[.. own, .. program, .. options, .. Run ?? [], Study]).Where(t => t.AsSpan().IndexOfAny("\r\n") >= 0))
            throw new UsageException($"a line break cannot stand in a batch script: {wrong.ReplaceLineEndings(" ")}");
        if (More.FirstOrDefault(m => !m.StartsWith('-')) is { } bare)
            throw new UsageException($"--sbatch is '{bare}'; it must be an option of sbatch, such as --sbatch=--mem=16G.");
        return string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            #!/bin/bash
            {{string.Join('\n', own.Select(o => $"#SBATCH {Directive(o)}"))}}
            #
            # '{{Name}}' in {{Shards}} shards, one task each. 'bash FILE' submits the array and, after it, the merge; 'sbatch FILE' the array alone.
            # A task that is told to stop (USR1 comes {{Warning}} s before its time limit, TERM at other occasions) drops the unit in progress and requeues
            # itself, at most {{Requeues}} times. Finished units are kept, so that submitting again continues.
            set -u
            nulltext=({{string.Join(' ', program.Select(Quoted))}})
            study={{Quoted(Study)}}
            out={{Quoted(Out)}}

            if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
                array=$(sbatch --parsable "$0") || exit
                array=${array%%;*}
                merge=$(sbatch --parsable --dependency="afterany:$array" {{string.Join(' ', ofMerge.Select(Quoted))}} \
                    --wrap "$(printf '%q ' "${nulltext[@]}" {{Merge ?? "study merge \"$study\""}} --out "$out")") || exit
                echo "submitted: array $array, merge ${merge%%;*}"
                exit
            fi

            child=
            told=
            asked=
            stop() {
                told=1
                asked=1
                [ -n "$child" ] && kill -TERM "$child" 2>/dev/null
            }
            trap stop USR1 TERM
            "${nulltext[@]}" {{(
                Run is { } run ? string.Join(' ', run.Select(Quoted)) : "study run \"$study\""
            )}} --out "$out" --shard "$SLURM_ARRAY_TASK_ID/{{Shards}}" {{string.Join(' ', options.Select(Quoted))}} &
            child=$!
            # It may have been told before the program had a number.
            [ -n "$told" ] && kill -TERM "$child" 2>/dev/null
            # A signal ends 'wait' early; only a wait that was not disturbed gives the program's own exit code.
            code=1
            while true; do
                told=
                wait "$child"
                status=$?
                [ "$status" -ne 127 ] && code=$status
                [ -z "$told" ] && break
            done

            # 130: stopped by a signal, with units left. Above: ended by it before the program could handle any.
            if [ "$code" -eq 130 ] || { [ -n "$asked" ] && [ "$code" -gt 128 ]; }; then
                if [ "${SLURM_RESTART_COUNT:-0}" -lt {{Requeues}} ]; then
                    # By array and task: the number of the job alone would requeue the whole array.
                    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" && exit 0
                    echo "the task could not be requeued; submit the script again to continue" >&2
                else
                    echo "stopped after {{Requeues}} requeues; submit the script again to continue" >&2
                fi
            fi
            exit "$code"

            """
        );
    }

    /// <summary>What the script was made from.</summary>
    public string ToManifest(Study study) =>
        JsonSerializer.Serialize(
            new
            {
                Name,
                Study,
                StudySha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(study.Plan.ToJson()))),
                Out,
                Units = study.Units.Count,
                Inversions = study.Units.Where(u => u.Refusal is null).DistinctBy(u => u.InversionKey.Hash).Count(),
                Models = study.Models.Select(m => new { m.Name, m.Identity }),
                Shards,
                Together,
                Requeues,
                Account,
                Partition,
                Gpus,
                Time,
                More,
                Device,
                Threads,
                Program = Program(),
                Version = typeof(Study).Assembly.GetName().Version?.ToString(3),
            },
            new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase }
        ) + "\n";

    /// <summary>How this program was started.</summary>
    private static string[] Program()
    {
        string dll = Path.Combine(AppContext.BaseDirectory, "nulltext.dll");
        return Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) != "dotnet" ? [host] : [Environment.ProcessPath ?? "dotnet", dll];
    }

    /// <summary>A word of a shell's command.</summary>
    public static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    // sbatch reads quotes as a shell does, but expands nothing.
    private static string Directive(string text) =>
        Plain().IsMatch(text) ? text : $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    [GeneratedRegex(@"^([0-9]{1,6})(?:%([0-9]{1,6}))?$")]
    private static partial Regex Array();

    [GeneratedRegex(@"^[A-Za-z0-9._/:,%@=+-]+$")]
    private static partial Regex Plain();
}
