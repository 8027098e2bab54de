using System.Text.Json;
using NullTextResearch.Figures;
using NullTextResearch.Figures.Tests;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>`nulltext reproduce`, run as a user runs it.</summary>
public sealed class ReproduceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-reproduce-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Reproduce_OneFigure_WritesEverythingAndASecondRunComputesNothing()
    {
        Outcome first = Nulltext.Run(_folder, "reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "report");
        Assert.True(first.ExitCode == 0, first.Error);
        Assert.Contains("Figure 9", first.Out, StringComparison.Ordinal);
        foreach (string file in (string[])["index.html", "fig09/figure.html", "fig09/likelihood.csv", "fig09/psnr.csv", "fig09/gaussianity.csv"])
            Assert.True(File.Exists(Path.Combine(_folder, "report", file)), file);
        using (JsonDocument manifest = Manifest())
        {
            string[] parts =
            [
                "figure",
                "command",
                "started",
                "seconds",
                "unetEvaluations",
                "options",
                "seed",
                "model",
                "images",
                "algorithmVersion",
                "versions",
                "device",
                "threads",
            ];
            Assert.All(parts, p => Assert.True(manifest.RootElement.TryGetProperty(p, out _), p));
            Assert.Equal(64, manifest.RootElement.GetProperty("model").GetProperty("sha256").GetString()!.Length);
            Assert.Equal(20, manifest.RootElement.GetProperty("options").GetProperty("steps").GetInt32());
            Assert.True(manifest.RootElement.GetProperty("unetEvaluations").GetInt64() > 0);
            Assert.Contains("--quick --count 1", manifest.RootElement.GetProperty("command").GetString(), StringComparison.Ordinal);
        }

        Outcome second = Nulltext.Run(_folder, "reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "report");
        Assert.True(second.ExitCode == 0, second.Error);
        Assert.Contains("(0 results computed", second.Out, StringComparison.Ordinal);
        using (JsonDocument again = Manifest())
        {
            Assert.Equal(0, again.RootElement.GetProperty("unetEvaluations").GetInt64());
            JsonElement results = again.RootElement.GetProperty("results");
            Assert.Equal((0, 5), (results.GetProperty("computed").GetInt32(), results.GetProperty("read").GetInt32()));
            // What the first run took for them.
            Assert.InRange(results.GetProperty("readSeconds").GetDouble(), 0.001, double.MaxValue);
        }

        Assert.Contains("0 computed, 5 from earlier runs (", File.ReadAllText(Path.Combine(_folder, "report", "index.html")), StringComparison.Ordinal);

        // What a disk error or another program did to results is never the end, nor does it get into the figures.
        string[] figures = [.. Directory.GetFiles(Path.Combine(_folder, "report", "fig09"), "*.csv").Order(StringComparer.Ordinal)],
            entries = Directory.GetFiles(Path.Combine(_folder, "report", "results"));
        string[] before = [.. figures.Select(File.ReadAllText)];
        File.WriteAllText(entries[0], "{}");
        string entry = File.ReadAllText(entries[1]);
        int digit = entry.IndexOf("PsnrOne\":", StringComparison.Ordinal) + 9;
        File.WriteAllText(entries[1], entry[..digit] + (entry[digit] == '9' ? '1' : '9') + entry[(digit + 1)..]);
        Outcome third = Nulltext.Run(_folder, "reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "report");
        Assert.True(third.ExitCode == 0, third.Error);
        Assert.Contains($"(2 results computed, {entries.Length - 2} found; 2 damaged", third.Out, StringComparison.Ordinal);
        Assert.Equal(before, figures.Select(File.ReadAllText));

        if (ChromiumRenderer.Find().Renderer is { } chromium)
            await OpenInBrowser(chromium, Path.Combine(_folder, "report"));
    }

    /// <summary>The report of all figures, where one was made before the tests; .ci/run does that.</summary>
    [Fact]
    public async Task IndexOfAllFigures_OpenedFromDisk_DrawsEveryChart()
    {
        string? folder = Environment.GetEnvironmentVariable("NULLTEXT_REPORT");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "NULLTEXT_REPORT names no folder written by 'nulltext reproduce'");
        ChromiumSearch search = ChromiumRenderer.Find();
        Assert.SkipWhen(search.Renderer is null, search.Message);
        await OpenInBrowser(search.Renderer!, folder!);
    }

    private static async Task OpenInBrowser(ChromiumRenderer chromium, string folder)
    {
        // What should be drawn is counted in the figures' own pages, not in the one under test.
        int charts = Directory
            .EnumerateFiles(folder, "figure.html", SearchOption.AllDirectories)
            .Sum(page => File.ReadAllText(page).Split("class=\"nt-plot\"").Length - 1);
        Assert.True(charts > 0);
        foreach ((int width, int height) in new[] { (1400, 900), (400, 800) })
        {
            await using ReportBrowser browser = await ReportBrowser.Start(chromium.ExecutablePath, width, height);
            await browser.Open(Path.Combine(folder, "index.html"), charts);
            await browser.AssertTidy(width);
            await browser.Screenshot($"index-{width}.png");
        }
    }

    [Fact]
    public void Reproduce_InShardsThenReported_HasTheFiguresOfOneProcess()
    {
        string[] run = ["reproduce", "--quick", "--figures", "9", "--count", "3", "--size", "32", "--batch", "1"];
        Outcome one = Nulltext.Run(_folder, [.. run, "--out", "one"]);
        Assert.True(one.ExitCode == 0, one.Error);
        Outcome early = Nulltext.Run(_folder, [.. run, "--out", "many", "--report"]);
        early.Refused(1, "are missing for 3 images", "shards");
        int images = 0;
        foreach (int shard in (int[])[1, 0])
        {
            Outcome part = Nulltext.Run(_folder, [.. run, "--out", "many", "--shard", $"{shard}/2"]);
            Assert.True(part.ExitCode == 0, part.Error);
            images += part.Out.Contains("none of 3", StringComparison.Ordinal) ? 0 : int.Parse(part.Out.Split(": ")[1].Split(' ')[0], null);
            Assert.False(File.Exists(Path.Combine(_folder, "many", "index.html")));
        }
        Assert.Equal(3, images);
        Outcome report = Nulltext.Run(_folder, [.. run, "--out", "many", "--report"]);
        Assert.True(report.ExitCode == 0, report.Error);
        Assert.Contains("(0 results computed", report.Out, StringComparison.Ordinal);
        string[] results = Names("one", "results");
        Assert.Equal(results, Names("many", "results"));
        foreach (string file in (string[])["fig09/likelihood.csv", "fig09/psnr.csv", "fig09/gaussianity.csv", "claims.csv", "claims.md"])
            Assert.Equal(File.ReadAllText(Path.Combine(_folder, "one", file)), File.ReadAllText(Path.Combine(_folder, "many", file)));
        // The ordinary run finds everything too.
        Assert.Contains("(0 results computed", Nulltext.Run(_folder, [.. run, "--out", "many"]).Out, StringComparison.Ordinal);

        string[] Names(string run, string part) =>
            [.. Directory.GetFiles(Path.Combine(_folder, run, part)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public void Reproduce_EmitSlurm_RunsTheSameCommandInShardsAndThenItsReport()
    {
        string[] run = ["reproduce", "--protocol", "paper", "--figures", "9", "--count", "3", "--size", "32"];
        Outcome emitted = Nulltext.Run(_folder, [.. run, "--out", "x", "--emit", "slurm", "--array", "2", "--account", "mine", "--sbatch=--mem=4G"]);
        Assert.True(emitted.ExitCode == 0, emitted.Error);
        string script = File.ReadAllText(Path.Combine(_folder, "x", "slurm.sh"));
        const string Words = "'reproduce' '--protocol' 'paper' '--figures' '9' '--count' '3' '--size' '32'";
        Assert.Contains($"{Words} --out \"$out\" --shard \"$SLURM_ARRAY_TASK_ID/2\" '--device' 'cpu'", script, StringComparison.Ordinal);
        Assert.Contains($"{Words} '--report' --out \"$out\"", script, StringComparison.Ordinal);
        Assert.Contains("#SBATCH --chdir=", script, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "x", "results")));
    }

    [Theory]
    [InlineData("--shard 2/2", "--shard is '2/2'")]
    [InlineData("--shard 0/2 --report", "exclude each other")]
    [InlineData("--array 2", "--array is for --emit slurm")]
    public void Reproduce_WrongShards_AreRefused(string options, string words) =>
        Nulltext.Run(_folder, ["reproduce", "--quick", .. options.Split(' ')]).Refused(2, words);

    [Fact]
    public void Reproduce_UnknownFigure_NamesThoseThereAre() => Nulltext.Run(_folder, "reproduce", "--figures", "7").Refused(2, "'7'", "13", "ablations");

    [Fact]
    public void Reproduce_ImageWithoutCaption_SaysWhereToWriteIt()
    {
        string images = Directory.CreateDirectory(Path.Combine(_folder, "photos")).FullName;
        File.WriteAllBytes(Path.Combine(images, "cat.png"), [0x89, (byte)'P', (byte)'N', (byte)'G']);
        Nulltext.Run(_folder, "reproduce", "--images", images).Refused(1, "cat.txt", "caption");
    }

    [Fact]
    public void Reproduce_ImageWithoutEdit_IsToldBeforeTheWorkBegins()
    {
        string images = Directory.CreateDirectory(Path.Combine(_folder, "photos")).FullName;
        string toy = Path.Combine(GoldenTensors.Folder, "..", "images", "toy", "01-house-snow.png");
        File.Copy(toy, Path.Combine(images, "house.png"));
        File.WriteAllText(Path.Combine(images, "house.txt"), "a big house in the snow\n");
        Nulltext.Run(_folder, "reproduce", "--quick", "--images", images).Refused(1, "'house'", "figure 2", "below its caption", "--figures");
        Assert.False(Directory.Exists(Path.Combine(_folder, "runs")));

        Outcome outcome = Nulltext.Run(_folder, "reproduce", "--quick", "--figures", "15", "--images", images, "--size", "32", "--out", "maps");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.True(File.Exists(Path.Combine(_folder, "maps", "index.html")));
    }

    private JsonDocument Manifest() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(_folder, "report", "fig09", "manifest.json")));
}
