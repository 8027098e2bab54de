using System.Diagnostics;
using System.Text;
using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>Renders charts and pages as PNG files with a headless Chromium (or Chrome, or Edge), if one is installed.</summary>
public sealed class ChromiumRenderer
{
    /// <summary>Environment variable with the path of the browser's executable; takes precedence over <c>PATH</c>.</summary>
    public const string EnvironmentVariable = "NULLTEXT_CHROMIUM";

    // Chromium draws at most 16384 device pixels in height; at two device pixels per CSS pixel this stays below.
    private const int SheetHeight = 6000;
    private const int DeviceScale = 2;
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge"];

    private ChromiumRenderer(string executablePath) => ExecutablePath = executablePath;

    /// <summary>Full path of the browser's executable.</summary>
    public string ExecutablePath { get; }

    /// <summary>Time limit for one page (default: one minute).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The browser to use, or null if none is installed.</summary>
    /// <returns>A renderer; nothing is started yet.</returns>
    public static ChromiumRenderer? TryFind() => Find().Renderer;

    /// <summary>
    /// Looks for a browser: <see cref="EnvironmentVariable"/> first, then the usual names on <c>PATH</c>, then the usual locations on Windows and macOS.
    /// </summary>
    /// <returns>The browser, or a message that says how to get one.</returns>
    public static ChromiumSearch Find() => Find(Environment.GetEnvironmentVariable(EnvironmentVariable), Environment.GetEnvironmentVariable("PATH"));

    internal static ChromiumSearch Find(string? chosen, string? searchPath)
    {
        if (!string.IsNullOrWhiteSpace(chosen))
        {
            return File.Exists(chosen)
                ? new ChromiumSearch(new ChromiumRenderer(Path.GetFullPath(chosen)), Path.GetFullPath(chosen))
                : new ChromiumSearch(null, $"{EnvironmentVariable} names '{chosen}', which does not exist; set it to the browser's executable or unset it.");
        }

        string[] endings = OperatingSystem.IsWindows() ? [".exe"] : [""];
        IEnumerable<string> candidates =
            from folder in (searchPath ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            from name in Names
            from ending in endings
            select Path.Combine(folder, name + ending);
        foreach (string candidate in candidates.Concat(UsualPlaces()))
        {
            if (File.Exists(candidate))
            {
                return new ChromiumSearch(new ChromiumRenderer(candidate), candidate);
            }
        }

        return new ChromiumSearch(
            null,
            "no Chromium, Chrome or Edge was found on PATH; static chart images are skipped. Install one (Debian: apt-get install chromium) or set "
                + $"{EnvironmentVariable} to its executable."
        );
    }

    /// <summary>Takes a screenshot of a page.</summary>
    /// <param name="html">A self-contained HTML document.</param>
    /// <param name="width">Width of the page in CSS pixels, 500 to 4000.</param>
    /// <param name="height">Height of the page in CSS pixels, 100 to 8000.</param>
    /// <param name="path">The PNG file to write; two device pixels per CSS pixel. Its folder is created if missing.</param>
    /// <param name="cancellationToken">Stops the browser.</param>
    /// <returns>Whether the file was written, or why not: a browser failure must not abort a run.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The size is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="IOException">The temporary page or the file cannot be written.</exception>
    public RenderResult RenderPng(string html, int width, int height, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(html);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 500);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, 4000);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, 8000);
        string target = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        string folder = Directory.CreateTempSubdirectory("nulltext-chromium-").FullName;
        try
        {
            string page = Path.Combine(folder, "page.html");
            string picture = Path.Combine(folder, "page.png");
            File.WriteAllText(page, html);
            // Now and then a headless browser hangs at startup; a second one usually works.
            string? failure = Run(Path.Combine(folder, "profile"), page, picture, width, height, Timeout / 3, out bool stalled, cancellationToken);
            if (stalled)
                failure = Run(Path.Combine(folder, "profile-2"), page, picture, width, height, Timeout, out _, cancellationToken);
            if (failure is not null)
            {
                return new RenderResult(false, failure);
            }

            File.Copy(picture, target, overwrite: true);
            return new RenderResult(true, target);
        }
        finally
        {
            DeleteFolder(folder);
        }
    }

    /// <summary>Renders one PNG per chart, many charts per start of the browser.</summary>
    /// <param name="charts">Charts and the PNG files to write.</param>
    /// <param name="width">Width of the pictures in CSS pixels, 500 to 4000 (default 900); the height follows the chart.</param>
    /// <param name="cancellationToken">Stops the browser.</param>
    /// <returns>One result per chart, in order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The width is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public IReadOnlyList<RenderResult> RenderCharts(
        IReadOnlyList<(ChartBundle Chart, string Path)> charts,
        int width = 900,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(charts);
        List<RenderResult> results = [];
        while (results.Count < charts.Count)
        {
            // As many charts as fit into one screenshot, at least one. A title and a long legend need room beyond the chart's height.
            List<(ChartBundle Chart, int BoxHeight)> sheet = [];
            int height = 0;
            foreach ((ChartBundle chart, _) in charts.Skip(results.Count))
            {
                int box = chart.Height + 260;
                if (sheet.Count > 0 && height + box > SheetHeight)
                {
                    break;
                }

                sheet.Add((chart, box));
                height += box;
            }

            results.AddRange(
                RenderSheet(sheet, [.. charts.Skip(results.Count).Take(sheet.Count).Select(chart => chart.Path)], width, height, cancellationToken)
            );
        }

        return results;
    }

    private List<RenderResult> RenderSheet(
        IReadOnlyList<(ChartBundle Chart, int BoxHeight)> sheet,
        IReadOnlyList<string> paths,
        int width,
        int height,
        CancellationToken cancellationToken
    )
    {
        const int Padding = 16;
        string picture = Path.Combine(Path.GetTempPath(), $"nulltext-sheet-{Guid.NewGuid():N}.png");
        try
        {
            RenderResult photographed = RenderPng(ReportPage.Sheet(sheet, Padding), width, height, picture, cancellationToken);
            if (!photographed.Rendered)
            {
                return [.. paths.Select(_ => photographed)];
            }

            using SKBitmap? all = SKBitmap.Decode(picture);
            if (all is null || all.Width != width * DeviceScale || all.Height != height * DeviceScale)
            {
                string size = all is null ? "an unreadable picture" : $"{all.Width}x{all.Height} pixels";
                return [.. paths.Select(_ => new RenderResult(false, $"{ExecutablePath} made {size}, expected {width * DeviceScale}x{height * DeviceScale}."))];
            }

            List<RenderResult> results = [];
            int top = 0;
            for (int i = 0; i < sheet.Count; i++)
            {
                int box = sheet[i].BoxHeight * DeviceScale;
                int bottom = LastInkedRow(all, top, top + box);
                if (bottom < top)
                {
                    results.Add(new RenderResult(false, $"{ExecutablePath} drew nothing for the chart '{sheet[i].Chart.Title}'."));
                }
                else
                {
                    SKRectI area = new(0, top, all.Width, Math.Min(top + box, bottom + 1 + (Padding * DeviceScale)));
                    using SKBitmap part = new();
                    all.ExtractSubset(part, area);
                    string target = Path.GetFullPath(paths[i]);
                    Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                    File.WriteAllBytes(target, Pixels.ToPng(part));
                    results.Add(new RenderResult(true, target));
                }

                top += box;
            }

            return results;
        }
        finally
        {
            File.Delete(picture);
        }
    }

    private static int LastInkedRow(SKBitmap picture, int top, int bottom)
    {
        for (int y = Math.Min(bottom, picture.Height) - 1; y >= top; y--)
        {
            for (int x = 0; x < picture.Width; x += 2)
            {
                SKColor color = picture.GetPixel(x, y);
                if (color.Red < 250 || color.Green < 250 || color.Blue < 250)
                {
                    return y;
                }
            }
        }

        return top - 1;
    }

    /// <summary>Starts the browser and waits for its screenshot.</summary>
    /// <returns>Null if the screenshot was written, otherwise what went wrong.</returns>
    private string? Run(
        string profile,
        string page,
        string picture,
        int width,
        int height,
        TimeSpan limit,
        out bool stalled,
        CancellationToken cancellationToken
    )
    {
        stalled = false;
        ProcessStartInfo start = new(ExecutablePath) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (
            string argument in (string[])
                [
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                    "--disable-extensions",
                    "--disable-dev-shm-usage",
                    "--disable-breakpad",
                    "--hide-scrollbars",
                    "--force-color-profile=srgb",
                    "--run-all-compositor-stages-before-draw",
                    "--virtual-time-budget=15000",
                    $"--force-device-scale-factor={DeviceScale}",
                    $"--user-data-dir={profile}",
                    $"--window-size={width},{height}",
                    $"--screenshot={picture}",
                    new Uri(page).AbsoluteUri,
                ]
        )
        {
            start.ArgumentList.Add(argument);
        }

        using Process process = new() { StartInfo = start };
        StringBuilder log = new();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (log)
            {
                log.AppendLine(line.Data);
            }
        };
        process.OutputDataReceived += (_, _) => { };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return $"{ExecutablePath} could not be started ({error.Message}); set {EnvironmentVariable} to another browser.";
        }

        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        Stopwatch clock = Stopwatch.StartNew();
        while (!process.WaitForExit(50))
        {
            if (cancellationToken.IsCancellationRequested || clock.Elapsed > limit)
            {
                stalled = true;
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                cancellationToken.ThrowIfCancellationRequested();
                return $"{ExecutablePath} did not finish within {limit.TotalSeconds.ToString("0", Csv.Culture)} s and was stopped; raise "
                    + $"{nameof(Timeout)} on a slow machine.";
            }
        }

        if (process.ExitCode == 0 && File.Exists(picture))
        {
            return null;
        }

        lock (log)
        {
            string[] lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return $"{ExecutablePath} made no picture (exit code {process.ExitCode}): {string.Join(" | ", lines.TakeLast(3))}";
        }
    }

    private static IEnumerable<string> UsualPlaces()
    {
        if (OperatingSystem.IsMacOS())
        {
            yield return "/Applications/Chromium.app/Contents/MacOS/Chromium";
            yield return "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
        }

        if (OperatingSystem.IsWindows())
        {
            foreach (
                Environment.SpecialFolder root in (Environment.SpecialFolder[])
                    [Environment.SpecialFolder.ProgramFiles, Environment.SpecialFolder.ProgramFilesX86, Environment.SpecialFolder.LocalApplicationData]
            )
            {
                yield return Path.Combine(Environment.GetFolderPath(root), "Google", "Chrome", "Application", "chrome.exe");
                yield return Path.Combine(Environment.GetFolderPath(root), "Microsoft", "Edge", "Application", "msedge.exe");
            }
        }
    }

    /// <summary>Child processes may still be closing files of their profile: try for two seconds, then leave the folder to the system's clean-up.</summary>
    private static void DeleteFolder(string folder)
    {
        for (int attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
                return;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Thread.Sleep(100);
            }
        }
    }
}
