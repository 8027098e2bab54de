using System.Net;
using System.Net.Sockets;
using Microsoft.Playwright;
using SkiaSharp;
using Xunit;

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

        // A picture is large enough to be seen, inside a box that scrolls; a click fits it to a narrow page, or shows all of its pixels on a wide one.
        const string Large = "(image => image.getBoundingClientRect().width >= Math.min(1100, image.naturalWidth))(document.querySelector('#fig13 img'))",
            Full = "(image => image.getBoundingClientRect().width >= image.naturalWidth)(document.querySelector('#fig13 img'))",
            Fits = "document.querySelector('#fig13 img').getBoundingClientRect().right <= document.documentElement.clientWidth";
        Assert.True(await page.EvaluateAsync<bool>(Large));
        await page.Locator("#fig13 img").ClickAsync();
        Assert.True(await page.EvaluateAsync<bool>(width == 400 ? Fits : Full));
        await page.Locator("#fig13 img").ClickAsync();
        Assert.True(await page.EvaluateAsync<bool>(width == 400 ? Full : Fits));
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
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
    public async Task Report_Opened_DrawsOnlyWhatIsNear()
    {
        Report report = SampleReport.Create();
        // The charts are two screens below the top.
        await using ReportBrowser browser = await Opened(report with { Introduction = string.Concat(Enumerable.Repeat("far\n", 80)) });
        IPage page = browser.Page;

        // Twice: what is watched is told of in the frame after.
        await page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))))");

        Assert.Equal(0, await page.Locator(".nt-plot[data-drawn]").CountAsync());
        Assert.False(await page.EvaluateAsync<bool>("!!window.Plotly"));
        const string Top = "document.querySelector('#speed').getBoundingClientRect().top";
        await page.EvaluateAsync("document.querySelector('#speed').scrollIntoView({ behavior: 'instant' })");
        double before = await page.EvaluateAsync<double>(Top);
        await ReportBrowser.Until(page, "document.querySelector('#speed-chart-1').hasAttribute('data-drawn')");
        Assert.Equal(0, await page.Locator("#fig04-chart-1[data-drawn]").CountAsync());
        Assert.InRange(await page.EvaluateAsync<double>(Top), before - 25, before + 25);
    }

    [Fact]
    public async Task Report_ArrivingSlowly_WaitsForAllOfPlotly()
    {
        string executable = Browser().ExecutablePath;
        string path = Path.Combine(_folder, "slow.html");
        Report.Of(SampleReport.Create().Sections.First(s => s.Charts.Count > 0)).Write(path);
        byte[] html = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        TaskCompletionSource rest = new();
        Task served = Serve();

        await using ReportBrowser browser = await ReportBrowser.Start(executable, 1400, 900);
        IPage page = browser.Page;
        await page.GotoAsync($"http://{listener.LocalEndpoint}/", new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        // Half of plotly.js is there, and the chart is in sight.
        await ReportBrowser.Until(page, "document.querySelector('#plotly-js')?.textContent.length > 100000");
        await page.EvaluateAsync("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 200))))");
        rest.SetResult();

        await ReportBrowser.Until(page, "document.querySelector('.nt-plot').hasAttribute('data-drawn')");
        await served;
        Assert.Empty(browser.Complaints);

        async Task Serve()
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            NetworkStream stream = client.GetStream();
            await stream.ReadAtLeastAsync(new byte[4096], 16);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n"u8.ToArray());
            int half = html.Length - PlotlyScript.Text.Length / 2;
            await stream.WriteAsync(html.AsMemory(0, half));
            await stream.FlushAsync();
            await rest.Task;
            await stream.WriteAsync(html.AsMemory(half));
        }
    }

    [Theory]
    [InlineData(1400)]
    [InlineData(400)]
    public async Task Report_ChartDrawn_TakesTheRoomThatWasKeptForIt(int width)
    {
        await using ReportBrowser browser = await Opened(
            SampleReport.Create(),
            width,
            "window.IntersectionObserver = function () { this.observe = () => {}; }"
        );
        const string Heights = "[...document.querySelectorAll('.nt-plot')].map(d => d.getBoundingClientRect().height)";
        double[] kept = await browser.Page.EvaluateAsync<double[]>(Heights);

        await browser.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))");
        await ReportBrowser.Until(browser.Page, "document.querySelectorAll('.nt-plot:not([data-drawn])').length === 0");

        double[] taken = await browser.Page.EvaluateAsync<double[]>(Heights);
        // A line of the legend may break elsewhere.
        Assert.All(kept.Zip(taken), pair => Assert.InRange(pair.Second - pair.First, -25, 25));
        Assert.True(kept.Zip(taken).Count(pair => Math.Abs(pair.Second - pair.First) < 5) > kept.Length / 2);
    }

    [Theory]
    // What a browser does before it prints, and a browser that cannot tell what is near.
    [InlineData("", "dispatchEvent(new Event('beforeprint'))")]
    [InlineData("delete window.IntersectionObserver", "0")]
    public async Task Report_PrintedOrUnwatched_DrawsEveryChart(string before, string after)
    {
        await using ReportBrowser browser = await Opened(SampleReport.Create(), before: before);

        // All within one turn of the browser's loop: paper does not wait.
        Assert.Equal(
            4,
            await browser.Page.EvaluateAsync<int>($"{after}, [...document.querySelectorAll('.nt-plot')].filter(d => d.querySelector('.main-svg .xy')).length")
        );
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

    private async Task<ReportBrowser> Opened(Report report, int width = 1400, string before = "")
    {
        string path = Path.Combine(_folder, "opened.html");
        report.Write(path);
        ReportBrowser browser = await ReportBrowser.Start(Browser().ExecutablePath, width, 900);
        if (before.Length > 0)
            await browser.Page.AddInitScriptAsync(before);
        await browser.Page.GotoAsync(new Uri(path).AbsoluteUri, new PageGotoOptions { Timeout = 180_000 });
        return browser;
    }

    internal static ChromiumRenderer Browser()
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        Assert.SkipWhen(search.Renderer is null, search.Message);
        return search.Renderer!;
    }
}
