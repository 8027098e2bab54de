using Microsoft.Playwright;
using SkiaSharp;

namespace NullTextResearch.Figures.Tests;

/// <summary>Opens pages in a real browser where one is installed.</summary>
public sealed class BrowserTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-browser-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1400, 900)]
    [InlineData(400, 800)]
    public async Task Report_OpenedFromDisk_DrawsEveryChartAndFitsTheWidth(int width, int height)
    {
        string executable = Browser().ExecutablePath;
        Report report = SampleReport.Create();
        string path = Path.Combine(_folder, "index.html");
        report.Write(path);

        await using ReportBrowser browser = await ReportBrowser.Start(executable, width, height);
        IPage page = browser.Page;
        await browser.Open(path, report.Sections.Sum(section => section.Charts.Count));

        Assert.Equal(25, await page.Locator("#fig04-chart-1 .scatterlayer .points path").CountAsync());
        Assert.Equal(10, await page.Locator("#speed-chart-1 .barlayer .point").CountAsync());
        await browser.AssertTidy(width);

        // A click shows a picture at full size, inside a box that scrolls.
        await page.Locator("#fig13 img").ClickAsync();
        Assert.True(
            await page.EvaluateAsync<bool>(
                "document.querySelector('#fig13 img').getBoundingClientRect().width >= document.querySelector('#fig13 img').naturalWidth"
            )
        );
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);

        await page.Locator("#fig13 img").ClickAsync();
        await browser.Screenshot($"report-{width}.png");
    }

    [Fact]
    public async Task Report_WindowNarrowed_RedrawsChartsToFit()
    {
        string executable = Browser().ExecutablePath;
        string path = Path.Combine(_folder, "figure.html");
        Report.Of(SampleReport.Create().Sections[0]).Write(path);

        await using ReportBrowser browser = await ReportBrowser.Start(executable, 1400, 900);
        IPage page = browser.Page;
        await page.GotoAsync(new Uri(path).AbsoluteUri);
        await page.WaitForSelectorAsync(".nt-plot[data-drawn]");

        await page.SetViewportSizeAsync(400, 800);

        await ReportBrowser.Until(
            page,
            "(() => { const d = document.querySelector('.nt-plot'); return d.clientWidth < 400 && "
                + "Math.abs(d.querySelector('.main-svg').getBoundingClientRect().width - d.clientWidth) < 2; })()"
        );
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 400);
    }

    [Fact]
    public void RenderCharts_TwoCharts_WritesTwoDifferentPictures()
    {
        ChromiumRenderer renderer = Browser();
        string[] paths = [Path.Combine(_folder, "charts", "bars.png"), Path.Combine(_folder, "charts", "lines.png")];

        IReadOnlyList<RenderResult> results = renderer.RenderCharts(
            [(SampleReport.Bars.Build(), paths[0]), (SampleReport.Lines.Build(), paths[1])],
            width: 800
        );

        Assert.All(results, result => Assert.True(result.Rendered, result.Message));
        foreach ((string path, byte r, byte g, byte b) in ((string, byte, byte, byte)[])[(paths[0], 0xd5, 0x5e, 0), (paths[1], 0, 0x72, 0xb2)])
        {
            using SKBitmap picture = SKBitmap.Decode(path);
            Assert.Equal(1600, picture.Width);
            Assert.InRange(picture.Height, 800, 1400);
            int marks = 0;
            for (int y = 0; y < picture.Height; y++)
            {
                for (int x = 0; x < picture.Width; x++)
                {
                    SKColor color = picture.GetPixel(x, y);
                    marks += Math.Abs(color.Red - r) + Math.Abs(color.Green - g) + Math.Abs(color.Blue - b) < 12 ? 1 : 0;
                }
            }

            Assert.True(marks > 2000, $"{path} has {marks} pixels in the colour of its first marks");
        }
    }

    [Fact]
    public void RenderPng_Cancelled_StopsAndThrows()
    {
        ChromiumRenderer renderer = Browser();
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();

        Assert.Throws<OperationCanceledException>(() => renderer.RenderPng("<p>x</p>", 600, 400, Path.Combine(_folder, "x.png"), cancelled.Token));
        Assert.False(File.Exists(Path.Combine(_folder, "x.png")));
    }

    [Fact]
    public void Find_NoBrowser_SaysHowToGetOne()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Windows and macOS keep browsers outside PATH");

        ChromiumSearch search = ChromiumRenderer.Find(chosen: null, searchPath: _folder);

        Assert.Null(search.Renderer);
        Assert.Contains("apt-get install chromium", search.Message);
        Assert.Contains(ChromiumRenderer.EnvironmentVariable, search.Message);
    }

    [Fact]
    public void Find_ChosenProgramMissing_NamesIt()
    {
        ChromiumSearch search = ChromiumRenderer.Find("/no/such/browser", Environment.GetEnvironmentVariable("PATH"));

        Assert.Null(search.Renderer);
        Assert.Contains("'/no/such/browser', which does not exist", search.Message);
    }

    [Fact]
    public void RenderPng_ProgramThatIsNoBrowser_ReturnsTheReason()
    {
        Assert.SkipUnless(File.Exists("/bin/false"), "needs /bin/false");
        ChromiumRenderer renderer = ChromiumRenderer.Find("/bin/false", null).Renderer!;

        RenderResult result = renderer.RenderPng("<p>x</p>", 600, 400, Path.Combine(_folder, "x.png"));

        Assert.False(result.Rendered);
        Assert.Contains("/bin/false made no picture (exit code 1)", result.Message);
    }

    private static ChromiumRenderer Browser()
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        Assert.SkipWhen(search.Renderer is null, search.Message);
        return search.Renderer!;
    }
}
