using Microsoft.Playwright;

namespace NullTextResearch.Interactive.Tests;

/// <summary>Outputs of a saved notebook, one below the other, in headless Chromium; nothing is loaded from anywhere.</summary>
internal sealed class NotebookPage : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-page-").FullName;
    private readonly List<string> _complaints = [];

    private NotebookPage(IPage page)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Add(message.Text);
        };
        page.PageError += (_, error) => _complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                _complaints.Add("asked for " + request.Url);
        };
    }

    public IPage Page { get; }

    /// <summary>Opens a page of outputs.</summary>
    /// <param name="browser">A running browser.</param>
    /// <param name="outputs">HTML of each output.</param>
    /// <param name="head">More for the page's head.</param>
    /// <param name="scripts">False as in a notebook that is not trusted.</param>
    public static async Task<NotebookPage> Open(IBrowser browser, IEnumerable<string> outputs, string head = "", bool scripts = true)
    {
        IPage page = await browser.NewPageAsync(
            new BrowserNewPageOptions
            {
                ViewportSize = new ViewportSize { Width = 1000, Height = 900 },
                JavaScriptEnabled = scripts,
            }
        );
        NotebookPage notebook = new(page);
        string path = Path.Combine(notebook._folder, "notebook.html");
        File.WriteAllText(
            path,
            $"<!DOCTYPE html><meta charset=\"utf-8\"><title>notebook</title>{head}<body style=\"margin:24px;font-family:sans-serif\">"
                + string.Concat(outputs.Select((html, i) => $"<div class=\"output\" id=\"out{i}\" style=\"margin-bottom:24px\">{html}</div>"))
        );
        await page.GotoAsync(new Uri(path).AbsoluteUri);
        return notebook;
    }

    public void AssertNoComplaints() => Assert.Empty(_complaints);

    /// <summary>Saves a picture of the whole page where NULLTEXT_SCREENSHOTS names a folder.</summary>
    public async Task Screenshot(string name)
    {
        if (Environment.GetEnvironmentVariable("NULLTEXT_SCREENSHOTS") is not { Length: > 0 } folder)
            return;
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name), FullPage = true });
    }

    public async ValueTask DisposeAsync()
    {
        await Page.Context.CloseAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
