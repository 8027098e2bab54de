using System.Text.Json;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>The benchmark of edits as it is run: whole, in shards, incomplete.</summary>
public sealed class BenchEditsTests : Workshop
{
    private static readonly string[] Tiny =
    [
        "bench",
        "edits",
        "--quick",
        "--count",
        "2",
        "--methods",
        "npi,direct",
        "--editors",
        "prompt-to-prompt",
        "--steps",
        "2",
        "--metrics",
        "psnr,ms-ssim,lpips-alex",
    ];

    [Fact]
    public void Edits_Tiny_WritesTablesJsonAndPageAndComputesNothingTwice()
    {
        RequireMini();
        Outcome run = Run([.. Tiny, "--out", "a"]);
        Assert.True(run.WithoutStackTrace().ExitCode == 0, run.Error);
        Assert.Contains("4 units; 0 from earlier runs", run.Out, StringComparison.Ordinal);
        Assert.Contains("4 units done, 0 refused, 0 failed, 0 missing", run.Out, StringComparison.Ordinal);
        Assert.Equal(1 + 4, Lines("a", "table.csv").Length);
        string[] pairs = Lines("a", "pairs.csv");
        Assert.Equal(
            ["npi,prompt-to-prompt,2,0,0,0,2,", "direct,prompt-to-prompt,2,0,0,0,2,"],
            pairs[1..].Select(l => l[..(l.IndexOf(",2,0,0,0,2,", StringComparison.Ordinal) + 11)])
        );
        Assert.Contains(Lines("a", "metrics.csv"), l => l.StartsWith("source-ms-ssim,higher,", StringComparison.Ordinal));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At("a", "bench.json")));
        JsonElement bound = json.RootElement.GetProperty("tasks")[0].GetProperty("bound");
        Assert.InRange(bound.GetProperty("truthDistance").GetDouble(), 1e-6, bound.GetProperty("noEditDistance").GetDouble());
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(At("a", "manifest.json")));
        Assert.Equal(2, manifest.RootElement.GetProperty("study").GetProperty("steps")[0].GetInt32());
        string page = File.ReadAllText(At("a", "index.html"));
        Assert.Contains("<td class=\"nt-number\">2</td>", page, StringComparison.Ordinal);
        Assert.Contains("lpips-alex", page, StringComparison.Ordinal);
        Assert.Contains("weights needed", page, StringComparison.Ordinal);
        Assert.DoesNotContain("This run is incomplete", page, StringComparison.Ordinal);
        // Source, truth and two edits of both scenes.
        Assert.Equal(2 * 4, page.Split("src=\"data:image/png;base64,").Length - 1);

        // The study in the folder is an ordinary one.
        Outcome study = Run("study", "run", Path.Combine("a", "study.json"), "--out", "a");
        Assert.Contains("4 from earlier runs", study.Out, StringComparison.Ordinal);
        // More scenes keep the results; the page without them says that it is incomplete.
        File.WriteAllText(At("a", "study.json"), File.ReadAllText(At("a", "study.json")).Replace("\"count\": 2", "\"count\": 3", StringComparison.Ordinal));
        Outcome report = Run("bench", "edits", "--report", "--out", "a");
        Assert.Equal(1, report.WithoutStackTrace().ExitCode);
        Assert.Contains("2 units are missing", report.Error, StringComparison.Ordinal);
        Assert.Contains("This run is incomplete: 2 of 6 units", File.ReadAllText(At("a", "index.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void Edits_InShards_TheLastOneWritesTheSamePage()
    {
        RequireMini();
        Assert.Equal(0, Run([.. Tiny, "--out", "whole"]).ExitCode);
        Outcome[] shards = [.. ((string[])["1/2", "0/2"]).Select(s => Run([.. Tiny, "--out", "parts", "--shard", s]))];
        Assert.All(shards, s => Assert.Equal(0, s.WithoutStackTrace().ExitCode));
        Assert.Contains("units done", shards[1].Out, StringComparison.Ordinal);
        foreach (string file in (string[])["table.csv", "metrics.csv", "paired.csv"])
            Assert.Equal(Lines("whole", file), Lines("parts", file));
    }

    [Fact]
    public void Edits_EmitSlurm_WritesTheStudyAndAScriptThatEndsWithTheReport()
    {
        RequireMini();
        Outcome emit = Run([.. Tiny, "--out", "x", "--emit", "slurm", "--array", "2"]);
        Assert.True(emit.WithoutStackTrace().ExitCode == 0, emit.Error);
        Assert.True(File.Exists(At("x", "study.json")));
        string script = File.ReadAllText(At("x", "slurm.sh"));
        Assert.Contains("bench edits --report --out \"$out\"", script, StringComparison.Ordinal);
        Assert.Contains($"study='{At("x", "study.json")}'", script, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("x", "units")));
    }

    [Theory]
    [InlineData("--methods dim", "--methods: ", "dim")]
    [InlineData("--methods npi,npi", "--methods lists an id twice")]
    [InlineData("--editors masa", "--editors: ", "masa")]
    [InlineData("--metrics pnsr", "--metrics: ", "pnsr")]
    [InlineData("--count 501", "--count is 501", "between 1 and 500")]
    [InlineData("--steps 0", "--steps is 0")]
    [InlineData("--shard 2/2", "--shard is '2/2'")]
    [InlineData("--array 2", "--array is for --emit slurm")]
    [InlineData("--report --count 7 --shard 0/2", "--count and --report exclude each other", "--shard and --report exclude each other")]
    public void Edits_WrongCommandLine_IsRefused(string line, params string[] words) => Run(["bench", "edits", .. line.Split(' ')]).Refused(2, words);

    [Fact]
    public void Edits_NothingThere_SaysWhatToDo()
    {
        Run("bench", "edits", "--report", "--out", "nowhere").Refused(1, "nowhere", "study.json is missing", "Run it first");
        Run("bench").Refused(2, "Required command");
    }

    private string At(params string[] parts) => Path.Combine([Folder, .. parts]);

    private string[] Lines(string folder, string file) => File.ReadAllText(At(folder, file)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
