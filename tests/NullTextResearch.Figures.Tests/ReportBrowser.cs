using Microsoft.Playwright;
using Xunit;

namespace NullTextResearch.Figures.Tests;

/// <summary>A page in headless Chromium, and everything that it complained about or asked the network for.</summary>
internal sealed class ReportBrowser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _complaints = [];
    private readonly List<string> _requests = [];

    private ReportBrowser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        _playwright = playwright;
        _browser = browser;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        page.Request += (_, request) => _requests.Add(request.Url[..Math.Min(100, request.Url.Length)]);
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Errors and warnings so far.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>Starts the browser with an empty page.</summary>
    public static async Task<ReportBrowser> Start(string executable, int width, int height)
    {
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser = await playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions { ExecutablePath = executable, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"] }
        );
        IPage page = await browser.NewPageAsync(
            new BrowserNewPageOptions
            {
                ViewportSize = new ViewportSize { Width = width, Height = height },
            }
        );
        return new ReportBrowser(playwright, browser, page);
    }

    /// <summary>
    /// Waits until something is true on the page. Playwright's own waiting asks again from within the page, by eval, which the pages forbid.
    /// </summary>
    public static async Task Until(IPage page, string expression)
    {
        DateTime end = DateTime.UtcNow.AddMinutes(3);
        while (!await page.EvaluateAsync<bool>(expression))
        {
            Assert.True(DateTime.UtcNow < end, $"never became true: {expression}");
            await Task.Delay(50);
        }
    }

    /// <summary>Opens a report from disk, looks at that many charts until each is drawn, with marks in it, and sees that all pictures are there.</summary>
    public async Task Open(string path, int charts)
    {
        // A watchdog only: on a machine with ten processes to a processor a page of five megabytes takes its time.
        await Page.GotoAsync(new Uri(path).AbsoluteUri, new PageGotoOptions { Timeout = 180_000 });
        Assert.Equal(charts, await Page.Locator(".nt-plot").CountAsync());
        for (int i = 0; i < charts; i++)
        {
            await Page.Locator(".nt-plot").Nth(i).ScrollIntoViewIfNeededAsync();
            await Until(Page, $"document.querySelectorAll('.nt-plot')[{i}].hasAttribute('data-drawn')");
        }

        Assert.Equal(
            charts,
            await Page.EvaluateAsync<int>(
                "[...document.querySelectorAll('.nt-plot')].filter(d => d.querySelector('.main-svg .xy path, .main-svg .xy image')).length"
            )
        );
        Assert.True(await Page.EvaluateAsync<bool>("[...document.images].every(i => i.complete && i.naturalWidth > 0)"));
    }

    /// <summary>The page never scrolls sideways (wide things scroll inside their own box), complains of nothing and needs no network.</summary>
    public async Task AssertTidy(int width)
    {
        Assert.True(await Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
        Assert.Empty(
            await Page.EvaluateAsync<string[]>(
                "[...document.querySelectorAll('.nt-plot, .nt-image .nt-scroll, h1, h2, .nt-finding, .nt-facts')]"
                    + ".filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.outerHTML.slice(0, 80))"
            )
        );
        Assert.True(await Page.EvaluateAsync<bool>("document.fonts.check('16px Inter')"));
        Assert.Empty(_complaints);
        Assert.All(_requests, url => Assert.True(url.StartsWith("file:", StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal), url));
    }

    /// <summary>Saves a picture of the whole page where NULLTEXT_SCREENSHOTS names a folder.</summary>
    public async Task Screenshot(string name)
    {
        if (Environment.GetEnvironmentVariable("NULLTEXT_SCREENSHOTS") is not { Length: > 0 } folder)
            return;
        await Page.EvaluateAsync("window.scrollTo(0, 0)");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name), FullPage = true });
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
