using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using NullTextResearch.Figures;
using NullTextResearch.Kernel.Installing;
using Xunit;

namespace NullTextResearch.Kernel.Tests.FrontEnds;

/// <summary>Classic Jupyter Notebook with our kernel in folders of its own, and a browser beside it; started when first asked for.</summary>
public sealed class ClassicServer : IAsyncLifetime
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-classic-").FullName;
    private readonly string _token = Guid.NewGuid().ToString("N");
    private readonly List<string> _log = [];
    private Process? _server;
    private string? _url;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Folder that the server shows.</summary>
    public string Notebooks { get; private set; } = "";

    public ValueTask InitializeAsync()
    {
        Notebooks = Directory.CreateDirectory(Path.Combine(_folder, "notebooks")).FullName;
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens a notebook of <see cref="Notebooks"/>; skips the test where there is no classic Notebook or no browser.</summary>
    public async Task<ClassicPage> Open(string name)
    {
        await Start();
        IPage page = await _browser!.NewPageAsync(
            new BrowserNewPageOptions
            {
                ViewportSize = new ViewportSize { Width = 1400, Height = 1000 },
            }
        );
        page.SetDefaultTimeout(60_000);
        ClassicPage notebook = new(page, _url!);
        await page.GotoAsync($"{_url}notebooks/{name}?token={_token}");
        await page.WaitForFunctionAsync(
            "window.Jupyter && Jupyter.notebook && Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected() && Jupyter.notebook._fully_loaded"
        );
        return notebook;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_server is { HasExited: false })
        {
            // Asked first: then it ends its kernels too.
            using HttpClient client = new();
            client.DefaultRequestHeaders.Add("Authorization", $"token {_token}");
            try
            {
                using HttpResponseMessage answer = await client.PostAsync($"{_url}api/shutdown", null);
                _server.WaitForExit(TimeSpan.FromSeconds(15));
            }
            catch (HttpRequestException)
            {
                // It has just ended, or never listened; what is left of it goes below.
            }

            if (!_server.HasExited)
                _server.Kill(entireProcessTree: true);
        }

        _server?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task Start()
    {
        if (_url is not null)
            return;
        string? program = JupyterPaths.OnPath("jupyter-notebook");
        Assert.SkipWhen(program is null, "Jupyter Notebook is not on the PATH: apt-get install -y --no-install-recommends jupyter-notebook");
        ChromiumSearch browser = ChromiumRenderer.Find();
        Assert.SkipWhen(browser.Renderer is null, browser.Message);
        string version = Version(program!);
        Assert.SkipUnless(
            version.StartsWith("6.", StringComparison.Ordinal),
            $"{program} is version {version}; the page of classic Notebook, which this test knows, is that of 6.x (Debian 12 has 6.4.12)."
        );

        KernelSpec.Write(Path.Combine(_folder, "data", "kernels", KernelSpec.StandardName), Path.Combine(AppContext.BaseDirectory, "nulltext.dll"));
        ProcessStartInfo start = new(
            program!,
            [
                "--no-browser",
                "--allow-root",
                "--ip=127.0.0.1",
                $"--port={Random.Shared.Next(20_000, 60_000)}",
                $"--notebook-dir={Notebooks}",
                $"--NotebookApp.token={_token}",
                "--NotebookApp.terminals_enabled=False",
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Notebooks,
        };
        string runtime = Path.Combine(_folder, "runtime");
        foreach (
            (string name, string value) in ((string, string)[])
                [
                    ("JUPYTER_PATH", Path.Combine(_folder, "data")),
                    ("JUPYTER_DATA_DIR", Path.Combine(_folder, "user")),
                    ("JUPYTER_CONFIG_DIR", Path.Combine(_folder, "config")),
                    ("JUPYTER_RUNTIME_DIR", runtime),
                    ("JUPYTER_PLATFORM_DIRS", "0"),
                    ("IPYTHONDIR", Path.Combine(_folder, "ipython")),
                    ("PYDEVD_DISABLE_FILE_VALIDATION", "1"),
                    ("PYTHONWARNINGS", "ignore"),
                    ("NULLTEXT_THREADS", "1"),
                ]
        )
            start.Environment[name] = value;
        _server = Process.Start(start)!;
        _server.OutputDataReceived += Keep;
        _server.ErrorDataReceived += Keep;
        _server.BeginOutputReadLine();
        _server.BeginErrorReadLine();
        _url = await Address(runtime);

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = browser.Renderer!.ExecutablePath,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"],
            }
        );
    }

    // The server takes another port where the wanted one is in use, and writes down which.
    private async Task<string> Address(string runtime)
    {
        for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < StartLimit && !_server!.HasExited; await Task.Delay(100))
        {
            if (!Directory.Exists(runtime) || Directory.GetFiles(runtime, "nbserver-*.json") is not [var file, ..])
                continue;
            using HttpClient client = new();
            try
            {
                string url = JsonNode.Parse(await File.ReadAllTextAsync(file))!["url"]!.ToString();
                using HttpResponseMessage answer = await client.GetAsync($"{url}api");
                if (answer.IsSuccessStatusCode)
                    return url;
            }
            catch (Exception e) when (e is HttpRequestException or System.Text.Json.JsonException)
            {
                // Half written, or not listening yet.
                Keep(e.Message);
            }
        }

        lock (_log)
            throw new InvalidOperationException($"Jupyter Notebook did not start:\n{string.Join('\n', _log)}");
    }

    private static string Version(string program)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string version = process.StandardOutput.ReadToEnd().Trim();
        _ = errors.Result;
        process.WaitForExit();
        return version;
    }

    private void Keep(object sender, DataReceivedEventArgs line) => Keep(line.Data ?? "");

    private void Keep(string line)
    {
        lock (_log)
            _log.Add(line);
    }
}

/// <summary>An open notebook, used as a person uses it: mouse and keyboard. What cannot be seen is read from the page's own model.</summary>
public sealed class ClassicPage : IAsyncDisposable
{
    private readonly List<string> _complaints = [];

    internal ClassicPage(IPage page, string server)
    {
        Page = page;
        page.PageError += (_, error) => _complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (
                !request.Url.StartsWith(server, StringComparison.Ordinal)
                && !request.Url.StartsWith("data:", StringComparison.Ordinal)
                && !request.Url.StartsWith("blob:", StringComparison.Ordinal)
                && request.Url != "about:blank"
            )
                _complaints.Add("asked for " + request.Url[..Math.Min(100, request.Url.Length)]);
        };
    }

    public IPage Page { get; }

    /// <summary>Messages of failed cells.</summary>
    public ILocator Errors => Page.Locator(".output_error");

    /// <summary>Cell, Run All; waits until every cell has its number.</summary>
    public async Task RunAll(float limit)
    {
        await Choose("#celllink", "#run_all_cells");
        await Page.WaitForFunctionAsync(
            "Jupyter.notebook.get_cells().every(c => c.cell_type !== 'code' || typeof c.input_prompt_number === 'number') || "
                + "document.querySelector('.output_error')",
            null,
            new PageWaitForFunctionOptions { Timeout = limit }
        );
        await Idle();
    }

    /// <summary>Types a line of code into a new cell at the end and runs it.</summary>
    /// <returns>The cell; it may still be running.</returns>
    public async Task<ILocator> Run(string code)
    {
        await Page.Locator("#notebook-container > .cell")
            .Last.ClickAsync(
                new LocatorClickOptions
                {
                    Position = new Position { X = 4, Y = 4 },
                }
            );
        await Page.Keyboard.PressAsync("Escape");
        await Page.Locator("button[data-jupyter-action='jupyter-notebook:insert-cell-below']").ClickAsync();
        await Page.Locator("#notebook-container > .cell.selected .CodeMirror").ClickAsync();
        await Page.Keyboard.InsertTextAsync(code);
        await Page.Keyboard.PressAsync("Control+Enter");
        return Page.Locator("#notebook-container > .cell").Last;
    }

    /// <summary>As <see cref="Run"/>, to the end of the cell.</summary>
    public async Task<ILocator> RunToEnd(string code)
    {
        ILocator cell = await Run(code);
        await Page.WaitForFunctionAsync("typeof Jupyter.notebook.get_cells().slice(-1)[0].input_prompt_number === 'number'");
        await Idle();
        return cell;
    }

    /// <summary>The stop button.</summary>
    public Task Stop() => Page.Locator("button[data-jupyter-action='jupyter-notebook:interrupt-kernel']").ClickAsync();

    /// <summary>An entry of a menu.</summary>
    public async Task Choose(string menu, string entry)
    {
        await Page.Locator(menu).ClickAsync();
        await Page.Locator(entry).ClickAsync();
    }

    /// <summary>Waits until the kernel says that it is idle.</summary>
    public Task Idle() => Page.Locator("#kernel_indicator_icon.kernel_idle_icon").WaitForAsync();

    /// <summary>No script failed, and nothing was asked for but from the server.</summary>
    public void AssertNoComplaints() => Assert.Empty(_complaints);

    /// <summary>Saves a picture of all cells where NULLTEXT_SCREENSHOTS names a folder.</summary>
    public async Task Screenshot(string name)
    {
        if (Environment.GetEnvironmentVariable("NULLTEXT_SCREENSHOTS") is not { Length: > 0 } folder)
            return;
        // The page scrolls inside a box: the window is made as tall as what is in it.
        int height = await Page.EvaluateAsync<int>("document.querySelector('#notebook-container').offsetHeight + 220");
        await Page.SetViewportSizeAsync(1400, Math.Clamp(height, 1000, 15_000));
        await Page.EvaluateAsync("document.querySelector('#site').scrollTop = 0");
        await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, name) });
        await Page.SetViewportSizeAsync(1400, 1000);
    }

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();
}
