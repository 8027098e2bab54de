using System.Text.Json;
using NullTextResearch.Benchmarks;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>`nulltext bench pie`, on a small data set in the published layout.</summary>
public sealed class BenchPieTests : Workshop
{
    private static readonly string[] Small = ["--methods", "ddim,npi", "--editors", "prompt-to-prompt,masactrl", "--steps", "2"];

    [Fact]
    public void Pie_InShards_HasTheTablesOfOneProcess_InThePublishedColumnsAndProtocol()
    {
        RequireMini();
        // Six pictures: one of each kind of edit that PIE-Bench has too; one may change everywhere.
        PieFolder.Write(Path.Combine(Folder, "pie"), count: 7, side: PieDataset.PublishedSide);
        Outcome one = Pie("one");
        Assert.True(one.WithoutStackTrace().ExitCode == 0, one.Error);
        foreach (
            string file in (string[])["table.csv", "table.md", "table.json", "kinds.csv", "units.csv", "times.csv", "manifest.json", "index.html", "study.json"]
        )
            Assert.True(File.Exists(Path.Combine(Folder, "one", file)), file);

        string[] lines = File.ReadAllLines(Path.Combine(Folder, "one", "table.csv"));
        Assert.Equal(1 + 4, lines.Length);
        string[] columns = lines[0].Split(',');
        // "PSNR, dB" has a comma.
        Assert.StartsWith("model,method,editor,steps,inner,guidance,seed,structure x 1000,structure low,structure high,structure n,\"PSNR, dB\"", lines[0]);
        Assert.All(lines[1..], l => Assert.Contains(",weights needed,,,,", l, StringComparison.Ordinal));
        Assert.True(columns.Length > 30);
        string table = File.ReadAllText(Path.Combine(Folder, "one", "table.md"));
        Assert.True(table.IndexOf("this run", StringComparison.Ordinal) < table.IndexOf("DDIM inversion + prompt-to-prompt", StringComparison.Ordinal), table);
        Assert.Contains("not portable", table, StringComparison.Ordinal);
        Assert.Contains(" (5) |", table, StringComparison.Ordinal);

        StudyPlan plan = StudyPlan.Read(Path.Combine(Folder, "one", "study.json"));
        Assert.Equal(["masked-psnr", "masked-mse", "masked-ssim"], plan.Metrics);
        Assert.Equal(Metrics.MaskedMode.PieOfficial, plan.Mode);
        Assert.Equal(
            [("blend-factor", "2"), ("blend-lookup", "word-per-prompt"), ("cross-replace", "0.4"), ("kind", "refine"), ("self-replace", "0.6")],
            plan.Editors[0].Options.Select(o => (o.Key, o.Value)).Order()
        );
        Assert.Empty(plan.Editors[1].Options);
        using (JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "one", "manifest.json"))))
        {
            foreach (string part in (string[])["study", "data", "models", "units", "devices", "programs", "seconds", "report"])
                Assert.True(manifest.RootElement.TryGetProperty(part, out _), part);
            Assert.Equal(24, manifest.RootElement.GetProperty("units").GetProperty("done").GetInt32());
        }

        Outcome half = Pie("many", "--shard", "1/2");
        Assert.True(half.ExitCode == 0, half.Error);
        Assert.False(File.Exists(Path.Combine(Folder, "many", "table.csv")));
        Assert.Contains("units of other shards are missing", half.Out, StringComparison.Ordinal);
        Outcome partial = Run("bench", "pie", "--report", "--out", "many");
        Assert.Equal(1, partial.WithoutStackTrace().ExitCode);
        Assert.Contains(",missing,", File.ReadAllText(Path.Combine(Folder, "many", "units.csv")), StringComparison.Ordinal);
        Assert.Equal(0, Pie("many", "--shard", "0/2").ExitCode);
        foreach (string file in (string[])["table.csv", "table.md", "table.json", "kinds.csv", "units.csv", "summary.csv"])
            Assert.Equal(File.ReadAllText(Path.Combine(Folder, "one", file)), File.ReadAllText(Path.Combine(Folder, "many", file)));
        Outcome again = Run("bench", "pie", "--report", "--out", "many");
        Assert.True(again.ExitCode == 0, again.Error);
    }

    [Fact]
    public void Pie_EmitSlurm_WritesTheStudyAndAScriptWhoseMergeIsTheReport()
    {
        RequireMini();
        PieFolder.Write(Path.Combine(Folder, "pie"), count: 2, side: PieDataset.PublishedSide);
        Outcome emitted = Pie("x", "--emit", "slurm", "--array", "2", "--protocol", "own");
        Assert.True(emitted.ExitCode == 0, emitted.Error);
        StudyPlan plan = StudyPlan.Read(Path.Combine(Folder, "x", "study.json"));
        Assert.Empty(plan.Editors[0].Options);
        Assert.Equal(Metrics.MaskedMode.Corrected, plan.Mode);
        string script = File.ReadAllText(Path.Combine(Folder, "x", "slurm.sh"));
        Assert.Contains("bench pie --report --out \"$out\"", script, StringComparison.Ordinal);
        Assert.Contains("study run \"$study\" --out \"$out\" --shard", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bench pie", "give --data")]
    [InlineData("bench pie --report --data pie", "--data and --report exclude each other")]
    [InlineData("bench pie --report --shard 0/2", "--shard and --report exclude each other")]
    [InlineData("bench pie --data pie --protocol publshed", "did you mean 'published'?")]
    [InlineData("bench pie --data pie --methods dim", "--methods", "no inversion method 'dim'")]
    [InlineData("bench pie --data pie --editors masa", "--editors", "no editor 'masa'")]
    [InlineData("bench pie --data pie --count 0", "--count is 0")]
    [InlineData("bench pie --data pie --precision fp8", "--precision is 'fp8'")]
    public void Pie_WrongCommandLine_IsRefused(string line, params string[] words) => Run(line.Split(' ')).Refused(2, words);

    [Fact]
    public void Pie_FolderThatIsNoDataSet_OrNoResults_SaysWhatIsExpected()
    {
        Run("bench", "pie", "--data", "nowhere").Refused(1, "mapping_file.json", "is missing", "annotation_images");
        Run("bench", "pie", "--report", "--out", "nowhere").Refused(1, "study.json", "Run it first");
        Run("bench", "pie", "--data", "nowhere", "--weights", "nowhere").Refused(1, "nowhere");
    }

    private Outcome Pie(string into, params IReadOnlyList<string> more) => Run(["bench", "pie", "--data", "pie", "--out", into, .. Small, .. more]);
}
