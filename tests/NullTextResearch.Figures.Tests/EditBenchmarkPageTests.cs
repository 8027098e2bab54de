using Microsoft.Playwright;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Perception;

namespace NullTextResearch.Figures.Tests;

public sealed class EditBenchmarkPageTests : IDisposable
{
    private static readonly string[] Methods = ["ddim", "npi", "direct", "null-text", "edict"];
    private static readonly string[] Editors = ["prompt-to-prompt", "masactrl"];

    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-bench-page-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ToReport_Complete_HasEveryPartAndFewPictures()
    {
        EditBenchmarkPage page = Page(missing: 0);
        Report report = page.ToReport();
        Assert.Equal(["results", "tradeoff", "budget", "kinds", "ranking", "metrics", "scenes", "run"], report.Sections.Select(s => s.Id));
        Assert.DoesNotContain("incomplete", report.Introduction, StringComparison.Ordinal);
        Assert.Equal(3, report.Sections[6].Galleries.Count);
        Assert.All(report.Sections[6].Galleries, g => Assert.Equal(2 + (Methods.Length * Editors.Length), g.Pictures.Count));
        TableData results = report.Sections[0].Tables[0];
        Assert.True(results.Sortable);
        Assert.Equal(Methods.Length * Editors.Length, results.Rows.Count);
        Assert.All(results.Rows, r => Assert.Equal("weights needed", r[^1]));
        // The mean and its interval are those of the statistics.
        Estimate success = page.Benchmark.Mean(page.Benchmark.Pairs[0], BenchmarkScore.Success);
        Assert.Equal(
            FormattableString.Invariant($"{100 * success.Value:0} ({100 * success.Low:0} to {100 * success.High:0})"),
            results.Rows[0][results.Columns.ToList().IndexOf("success [%]")]
        );
        TableData metrics = report.Sections[5].Tables[0];
        Assert.Equal(["clip-text", "", "weights needed", "", "", ""], metrics.Rows[^1]);
        Assert.StartsWith("1.00", metrics.Rows[0][2], StringComparison.Ordinal);
        string html = report.ToHtml();
        Assert.Equal(3 * (2 + 10), html.Split("src=\"data:image/png;base64,").Length - 1);
        Assert.Equal(1, html.Split("<details class=\"nt-gallery\" open>").Length - 1);
    }

    [Fact]
    public void ToReport_Incomplete_SaysSoFirst()
    {
        Report report = Page(missing: 7).ToReport();
        Assert.StartsWith("This run is incomplete: 70 of 140 units", report.Introduction, StringComparison.Ordinal);
        Assert.Equal("incomplete: 70 of 140 units open", report.Facts[0].Value);
    }

    [Fact]
    public void ToReport_NothingComputed_IsAPageWithoutCharts()
    {
        Report report = Page(missing: 14).ToReport();
        Assert.Equal(["results", "run"], report.Sections.Select(s => s.Id));
        Assert.Contains("nothing to rank yet", report.Introduction, StringComparison.Ordinal);
        Assert.Contains("Edits with a known truth", report.ToHtml(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1400, 900)]
    [InlineData(400, 800)]
    public async Task Page_InABrowser_DrawsSortsAndFitsTheWidth(int width, int height)
    {
        string executable = BrowserTests.Browser().ExecutablePath;
        Report report = Page(missing: 0).ToReport();
        string path = Path.Combine(_folder, "index.html");
        report.Write(path);
        await using ReportBrowser browser = await ReportBrowser.Start(executable, width, height);
        await browser.Open(path, report.Sections.Sum(s => s.Charts.Count));
        await browser.AssertTidy(width);

        ILocator heading = browser.Page.Locator("#results th", new PageLocatorOptions { HasText = "MSE to the truth" });
        double[] before = await Column();
        await heading.Locator("button").ClickAsync();
        double[] ascending = await Column();
        Assert.Equal(before.Order(), ascending);
        Assert.NotEqual(before, ascending);
        Assert.Equal("ascending", await heading.GetAttributeAsync("aria-sort"));
        await heading.Locator("button").ClickAsync();
        Assert.Equal(before.OrderDescending(), await Column());
        await browser.Screenshot($"bench-edits-{width}.png");

        async Task<double[]> Column() =>
            await browser.Page.EvaluateAsync<double[]>("[...document.querySelectorAll('#results tbody tr')].map(r => parseFloat(r.cells[6].textContent))");
    }

    /// <summary>Invented results: they look like real ones, and claim nothing.</summary>
    private static EditBenchmarkPage Page(int missing)
    {
        Random random = new(7);
        string[] kinds = [.. ToyEditDataset.Kinds];
        EditTask[] tasks =
        [
            .. Enumerable
                .Range(0, 14)
                .Select(i => new EditTask
                {
                    Id = $"scene-{i:000}",
                    Kind = kinds[i % kinds.Length],
                    SourcePrompt = "a red car in the desert",
                    TargetPrompt = "a blue car in the desert",
                }),
        ];
        BenchmarkPair[] pairs =
        [
            .. from method in Methods
            from editor in Editors
            select new BenchmarkPair(method, editor, [.. tasks.Select((_, t) => t >= 14 - missing ? null : Record())]),
        ];
        return new EditBenchmarkPage
        {
            Benchmark = new EditBenchmark(
                tasks,
                pairs,
                [BenchmarkScore.OfColumn("follows-truth", MetricDirection.Lower), BenchmarkScore.OfColumn("noise", MetricDirection.Higher)],
                [.. tasks.Select(_ => new BenchmarkBound(random.Next(5) > 0, 0.002, 0.08))],
                new BootstrapOptions { Resamples = 200 }
            ),
            Facts = [new ReportFact("model", "invented")],
            NeedWeights = ["clip-text"],
            Scenes = 3,
            Scene = _ => (Plain(200), Plain(100)),
            Edited = (_, t) => Plain((byte)(10 * t)),
        };

        UnitRecord Record()
        {
            double truth = 0.01 + (0.1 * random.NextDouble());
            return new UnitRecord
            {
                Status = UnitStatus.Done,
                Slot = "",
                Success = random.NextDouble() > 0.4,
                Evaluations = 50 * random.Next(1, 30),
                EditEvaluations = 200,
                Seconds = 1,
                EditSeconds = 2,
                ReconstructionPsnr = 25 + (5 * random.NextDouble()),
                Scores = new Dictionary<string, double>
                {
                    ["truth-inside-mse"] = truth,
                    ["source-outside-psnr"] = 20 + (10 * random.NextDouble()),
                    ["follows-truth"] = 2 * truth,
                    ["noise"] = random.NextDouble(),
                },
            };
        }
    }

    private static RgbImage Plain(byte level) => new(64, 64, [.. Enumerable.Repeat(level, 3 * 64 * 64)]);
}
