using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>Studies as they are run: in shards, stopped and resumed, merged, and as jobs of a batch system.</summary>
public sealed class StudyTests : Workshop
{
    private const string Study = """
        {
          "name": "tiny",
          "data": [{"images": [
            {"image": "photo.png", "prompt": "a red car in the desert", "to": "a blue car in the desert", "blend": ["car"]},
            {"image": "photo.png", "prompt": "a red car in the desert", "to": "a red car in the snow"}
          ]}],
          "methods": ["ddim", "null-text", "npi"],
          "editors": ["prompt-to-prompt"],
          "metrics": ["psnr"],
          "steps": 3,
          "inner": 1
        }
        """;

    [Fact]
    public void Study_InShardsThenMerged_EqualsOneProcess()
    {
        RequireMini();
        Write(Study);
        Outcome one = Run("study", "run", "study.json", "--out", "one");
        Assert.Equal(0, one.WithoutStackTrace().ExitCode);
        Assert.Contains("6 units; 0 from earlier runs", one.Out, StringComparison.Ordinal);
        Outcome merged = Run("study", "merge", "study.json", "--out", "one");
        Assert.True(merged.ExitCode == 0, merged.Error);
        Assert.Contains("6 units done, 0 refused, 0 failed, 0 missing", merged.Out, StringComparison.Ordinal);
        Assert.Equal(1 + 6, Table("one").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        int[] computed = [.. ((int[])[1, 0]).Select(Shard)];
        Assert.Equal(6, computed.Sum());
        Assert.Equal(0, Run("study", "merge", "study.json", "--out", "many").ExitCode);
        foreach (string table in (string[])["table.csv", "summary.csv", "table.json"])
            Assert.Equal(File.ReadAllText(Path.Combine(Folder, "one", table)), File.ReadAllText(Path.Combine(Folder, "many", table)));
        Assert.Contains("6 from earlier runs", Run("study", "run", "study.json", "--out", "many").Out, StringComparison.Ordinal);

        int Shard(int index)
        {
            Outcome outcome = Run("study", "run", "study.json", "--out", "many", "--shard", $"{index}/2");
            Assert.Equal(0, outcome.WithoutStackTrace().ExitCode);
            return int.Parse(outcome.Out.Split("anew), ")[1].Split(' ')[0], CultureInfo.InvariantCulture);
        }
    }

    [Fact]
    public void Study_OfToyEdits_HasTruthMaskAndSuccess()
    {
        RequireMini();
        Write(
            """
            {"data": [{"dataset": "toy-edit", "count": 7}], "methods": ["npi"], "editors": ["prompt-to-prompt"],
             "metrics": ["psnr", "masked-psnr"], "steps": 2}
            """
        );
        Outcome run = Run("study", "run", "study.json", "--out", "toys");
        Assert.True(run.WithoutStackTrace().ExitCode == 0, run.Error);
        Assert.Equal(0, Run("study", "merge", "study.json", "--out", "toys").ExitCode);
        string[] rows = Table("toys").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] columns = rows[0].Split(',');
        foreach (string column in (string[])["truth-psnr", "source-outside-psnr", "truth-inside-psnr", "success"])
            Assert.Contains(column, columns);
        int success = Array.IndexOf(columns, "success");
        Assert.Equal(7, rows.Length - 1);
        Assert.All(rows[1..], row => Assert.True(row.Split(',')[success] is "0" or "1", row));
        // No picture of two steps is the true result: the judge says so at least once.
        Assert.Contains(rows[1..], row => row.Split(',')[success] == "0");
    }

    [Fact]
    public void Study_MoreToyEditsThanThereAre_SaysHowMany()
    {
        Write(
            """
            {"data": [{"dataset": "toy-edit", "count": 501}], "methods": ["npi"], "editors": ["prompt-to-prompt"], "metrics": ["psnr"]}
            """
        );
        Run("study", "plan", "study.json").Refused(1, "toy-edit", "$.data[0]", "1 to 500 tasks");
    }

    [Fact]
    public void Merge_Incomplete_EndsWithOneAndListsWhatIsMissing()
    {
        RequireMini();
        Write(Study);
        Run("study", "merge", "study.json", "--out", "none").Refused(1, "none", "Run the study first");
        Directory.CreateDirectory(Path.Combine(Folder, "empty"));
        Outcome empty = Run("study", "merge", "study.json", "--out", "empty");
        Assert.Equal(1, empty.WithoutStackTrace().ExitCode);
        Assert.Contains("missing: images/photo | sd-mini | ddim | prompt-to-prompt | T 3, w 7.5", empty.Error, StringComparison.Ordinal);
        Assert.Contains("6 units are missing and 0 failed", empty.Error, StringComparison.Ordinal);
        Assert.Contains("'nulltext study run study.json --out empty'", empty.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Folder, "empty", "table.csv")));
        Assert.Equal(1, Run("study", "merge", "study.json", "--out", "empty", "--partial").ExitCode);
        Assert.Contains(",missing,", Table("empty"), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_Study_CountsUnitsInversionsAndEvaluations()
    {
        Write(Study);
        Outcome plan = Run("study", "plan", "study.json");
        Assert.Equal(0, plan.WithoutStackTrace().ExitCode);
        // T + T (N + 3) + T evaluations of three inversions, and 4 T of six edits.
        foreach (string line in (string[])["tasks +images 2", "units +6", "inversions +3; at most 18 evaluations, 3 of them", "edits +6; 72 evaluations"])
            Assert.Matches(line, plan.Out);
        Write(Study.Replace("\"npi\"", "\"npi@edict\"", StringComparison.Ordinal));
        Outcome refused = Run("study", "plan", "study.json");
        Assert.Matches("refused +2", refused.Out);
        Assert.Contains("npi@edict: npi follows the latents", refused.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_WeightsAndAnEditorThatDoesNotReWeight_AreRefused()
    {
        Write(
            """
            {"data": [{"images": [
               {"image": "photo.png", "prompt": "a red car in the desert", "to": "a red car in the desert", "weights": {"red": 2}},
               {"image": "photo.png", "prompt": "a red car in the desert", "to": "a blue car in the desert"}
             ]}], "methods": ["npi"], "editors": ["prompt-to-prompt", "masactrl"], "metrics": ["psnr"], "steps": 3}
            """
        );
        Outcome plan = Run("study", "plan", "study.json");
        Assert.Equal(0, plan.WithoutStackTrace().ExitCode);
        Assert.Matches("units +4", plan.Out);
        Assert.Contains("refused: the editor masactrl does not re-weight words, which the task asks for", plan.Out, StringComparison.Ordinal);
        Assert.Matches("edits +3; 36 evaluations", plan.Out);
    }

    [Theory]
    [InlineData("\"ddim\"", "\"dim\"", "$.methods[0]", "there is no inversion method 'dim'")]
    [InlineData("\"metrics\"", "\"metric\"", "$.metric", "did you mean 'metrics'?")]
    [InlineData("photo.png", "foto.png", "$.data[0].images[0].image", "foto.png is missing")]
    [InlineData("{\"images\"", "{\"dataset\": \"pie\", \"images\"", "$.data[0]", "give either")]
    [InlineData("\"inner\": 1", "\"models\": [\"nowhere\"]", "nowhere", "model")]
    public void AnyVerb_StudyThatNamesWhatIsNotThere_SaysWhatWhereAndWhatToDo(string of, string to, string where, string what)
    {
        Write(Study.Replace(of, to, StringComparison.Ordinal));
        Run("study", "run", "study.json", "--out", "x").Refused(1, where, what);
        Run("study", "run", "study.json", "--out", "x", "--emit", "slurm", "--array", "2").Refused(1, where, what);
        Assert.False(Directory.Exists(Path.Combine(Folder, "x")));
    }

    [Theory]
    [InlineData("study", "Required command")]
    [InlineData("study run study.json", "'--out' is required")]
    [InlineData("study run study.json --out x --shard 4/4", "--shard is '4/4'", "such as 0/4")]
    [InlineData("study run study.json --out x --account mine", "--account is for --emit slurm")]
    [InlineData("study run study.json --out x --emit pbs", "--emit is 'pbs'", "slurm")]
    [InlineData("study run study.json --out x --emit slurm", "give --array")]
    [InlineData("study run study.json --out x --emit slurm --array 2 --shard 0/2", "exclude each other")]
    [InlineData("study run study.json --out x --emit slurm --array 0", "--array is '0'")]
    [InlineData("study mrge study.json", "did you mean 'merge'?")]
    public void Study_WrongCommandLine_IsRefused(string line, params string[] words) => Run(line.Split(' ')).Refused(2, words);

    [Fact]
    public void Study_FileThatIsNotThere_IsNamed() => Run("study", "run", "nowhere.json", "--out", "x").Refused(1, "nowhere.json", "missing");

    [Theory]
    [InlineData("USR1")]
    [InlineData("TERM")]
    public void Run_Signal_EndsWith130AndTheSameCommandResumes(string signal)
    {
        RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sends a signal");
        Write(Study.Replace("\"steps\": 3", "\"steps\": [3, 60]", StringComparison.Ordinal).Replace("\"inner\": 1", "\"inner\": 10", StringComparison.Ordinal));
        string[] command = ["study", "run", "study.json", "--out", "x"];
        string units = Path.Combine(Folder, "x", "units");
        Outcome stopped = Nulltext.Run(
            Nulltext.Command(Folder, command),
            process =>
            {
                Await(() => Directory.Exists(units) && Directory.GetFiles(units, "*.json").Length > 0);
                Signal(process, signal);
            }
        );
        Assert.Equal(130, stopped.WithoutStackTrace().ExitCode);
        Assert.Contains("finished units are kept in x: the same command resumes", stopped.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(Folder, "x", "running")));
        Assert.Empty(Directory.GetFiles(units, "*.partial"));
        int kept = Directory.GetFiles(units, "*.json").Length;
        Assert.InRange(kept, 1, 11);
        Write(Study);
        Outcome rest = Run(command);
        Assert.True(rest.ExitCode == 0, rest.Error);
        Assert.DoesNotContain("6 units; 0 from earlier runs", rest.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Emit_Slurm_PassesOnWhatTheClusterDecidesAndGuessesNothing()
    {
        RequireMini();
        Write(Study);
        Outcome plain = Run("study", "run", "study.json", "--out", "x", "--emit", "slurm", "--array", "4");
        Assert.True(plain.ExitCode == 0, plain.Error);
        string script = File.ReadAllText(Path.Combine(Folder, "x", "slurm.sh"));
        string[] directives = [.. script.Split('\n').Where(l => l.StartsWith("#SBATCH", StringComparison.Ordinal)).Select(l => l["#SBATCH ".Length..])];
        Assert.Equal(
            [
                "--job-name=tiny",
                "--array=0-3",
                "--requeue",
                "--signal=B:USR1@120",
                "--open-mode=append",
                $"--output={Path.Combine(Folder, "x", "slurm", "%A_%a.log")}",
            ],
            directives
        );
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "x", "slurm.json")));
        Assert.Equal(6, manifest.RootElement.GetProperty("units").GetInt32());
        Assert.Equal(3, manifest.RootElement.GetProperty("inversions").GetInt32());

        string[] given = ["--account", "mine", "--partition", "fast", "--gpus", "2", "--time", "01:30:00", "--sbatch=--mem=16G", "--requeues", "7"];
        string[] emit = ["study", "run", "study.json", "--out", "x y", "--device", "cuda", "--emit", "slurm", "--out-script", "job.sh", "--array", "64%8"];
        Outcome full = Run([.. emit, .. given]);
        Assert.True(full.ExitCode == 0, full.Error);
        script = File.ReadAllText(Path.Combine(Folder, "job.sh"));
        foreach (string line in (string[])["--array=0-63%8", "--account=mine", "--partition=fast", "--gpus=2", "--time=01:30:00", "--mem=16G"])
            Assert.Contains($"#SBATCH {line}\n", script, StringComparison.Ordinal);
        Assert.Contains("#SBATCH \"--output=", script, StringComparison.Ordinal);
        Assert.Contains("-lt 7 ]", script, StringComparison.Ordinal);
        Assert.Contains("'--device' 'cuda'", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Emit_Slurm_ScriptSubmitsTheArrayAndTheMergeAfterIt()
    {
        RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "runs bash");
        Write(Study);
        string bin = FakeSlurm();
        Assert.Equal(0, Run("study", "run", "study.json", "--out", "x", "--emit", "slurm", "--array", "2", "--account", "mine", "--gpus", "1").ExitCode);
        Outcome submitted = Nulltext.Run(Bash(bin, Path.Combine("x", "slurm.sh")));
        Assert.True(submitted.ExitCode == 0, submitted.Error);
        Assert.Equal("submitted: array 77, merge 77", submitted.Out.Trim());
        string[] calls = File.ReadAllLines(Path.Combine(Folder, "calls"));
        Assert.Equal(["sbatch", "--parsable", Path.Combine("x", "slurm.sh")], calls[0].Split(' '));
        Assert.Contains("--dependency=afterany:77 --account=mine --job-name=tiny-merge", calls[1], StringComparison.Ordinal);
        Assert.DoesNotContain("--gpus", calls[1], StringComparison.Ordinal);
        Assert.Contains($"study merge {Path.Combine(Folder, "study.json")} --out {Path.Combine(Folder, "x")}", calls[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Emit_Slurm_TaskThatIsToldToStopRequeuesItselfUpToTheLimit()
    {
        RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "runs bash");
        Write(Study.Replace("\"steps\": 3", "\"steps\": [3, 60]", StringComparison.Ordinal).Replace("\"inner\": 1", "\"inner\": 10", StringComparison.Ordinal));
        string bin = FakeSlurm();
        Assert.Equal(0, Run("study", "run", "study.json", "--out", "x", "--emit", "slurm", "--array", "1", "--requeues", "2").ExitCode);
        string units = Path.Combine(Folder, "x", "units");
        Assert.Equal(0, Stopped(1, "USR1").ExitCode);
        Assert.Equal(["scontrol requeue 500_0"], File.ReadAllLines(Path.Combine(Folder, "calls")));
        Outcome last = Stopped(2, "TERM");
        Assert.Equal(130, last.ExitCode);
        Assert.Contains("stopped after 2 requeues", last.Error, StringComparison.Ordinal);
        Assert.Single(File.ReadAllLines(Path.Combine(Folder, "calls")));

        Outcome Stopped(int restarts, string signal)
        {
            int before = Directory.Exists(units) ? Directory.GetFiles(units, "*.json").Length : 0;
            ProcessStartInfo start = Bash(bin, Path.Combine("x", "slurm.sh"));
            start.Environment["SLURM_ARRAY_JOB_ID"] = "500";
            start.Environment["SLURM_ARRAY_TASK_ID"] = "0";
            start.Environment["SLURM_RESTART_COUNT"] = restarts.ToString(CultureInfo.InvariantCulture);
            return Nulltext.Run(
                start,
                process =>
                {
                    Await(() => Directory.Exists(units) && Directory.GetFiles(units, "*.json").Length > before);
                    Signal(process, signal);
                }
            );
        }
    }

    private string Table(string folder) => File.ReadAllText(Path.Combine(Folder, folder, "table.csv"));

    private void Write(string study) => File.WriteAllText(Path.Combine(Folder, "study.json"), study);

    /// <summary>Commands of the batch system that write down how they were called.</summary>
    private string FakeSlurm()
    {
        string bin = Directory.CreateDirectory(Path.Combine(Folder, "bin")).FullName;
        foreach (string name in (string[])["sbatch", "scontrol"])
        {
            string path = Path.Combine(bin, name);
            File.WriteAllText(path, $"#!/bin/sh\necho {name} \"$@\" >> '{Path.Combine(Folder, "calls")}'\necho '77;cluster'\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return bin;
    }

    private ProcessStartInfo Bash(string bin, string script)
    {
        ProcessStartInfo start = new("bash", [script])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{bin}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["NULLTEXT_THREADS"] = "1";
        return start;
    }

    private static void Signal(Process process, string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static void Await(Func<bool> condition)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!condition() && clock.Elapsed < TimeSpan.FromMinutes(2))
            Thread.Sleep(20);
    }
}
