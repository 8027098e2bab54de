using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.TestKit;

namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>Microsoft's tool, installed for these tests, and Jupyter's client to talk to it.</summary>
public sealed class Tool : IDisposable
{
    /// <summary>The version that is tested.</summary>
    public const string Version = "1.0.712001";

    private const string Python = "/usr/bin/python3";
    private static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(8);
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-tool-").FullName;
    private readonly Lazy<string?> _missing;
    private readonly Lazy<string> _feed;
    private readonly Lazy<IReadOnlyList<Ran>> _package;
    private readonly Lazy<IReadOnlyList<Ran>> _path;

    /// <summary>Nothing is installed before a test asks.</summary>
    public Tool()
    {
        _missing = new Lazy<string?>(Install);
        _feed = new Lazy<string>(Pack);
        _package = new Lazy<IReadOnlyList<Ran>>(() =>
            Run([$"#i \"nuget: {_feed.Value}\"\n#r \"nuget: NullTextResearch.DotNetInteractive\"", .. Sessions.Package])
        );
        _path = new Lazy<IReadOnlyList<Ran>>(() => Run([$"#r \"{Publish()}/NullTextResearch.DotNetInteractive.dll\"", .. Sessions.Path]));
    }

    /// <summary>The cells of <see cref="Sessions.Package"/> after one that references the package from a folder feed.</summary>
    public Ran Package(int cell) => Answer(_package, cell);

    /// <summary>The cells of <see cref="Sessions.Path"/> after one that references the published folder.</summary>
    public Ran Path(int cell) => Answer(_path, cell);

    /// <summary>The project's packages, made once for all tests.</summary>
    public string Feed => _feed.Value;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Ran Answer(Lazy<IReadOnlyList<Ran>> session, int cell)
    {
        Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");
        Assert.True(cell < session.Value.Count, $"the kernel gave no answer after {session.Value[^1].Everything}");
        return session.Value[cell];
    }

    private string? Install()
    {
        if (!OperatingSystem.IsLinux())
            return "drives the tool by Debian's Jupyter client";
        if (!File.Exists(Python) || Started(Python, ["-c", "import jupyter_client"]).Code != 0)
            return "Debian's python3-jupyter-client is not installed";
        (int code, string text) = Started("dotnet", ["tool", "install", "Microsoft.dotnet-interactive", "--version", Version, "--tool-path", Bin]);
        return code == 0 ? null : $"the tool cannot be had: {text.Trim().Split('\n')[^1]}";
    }

    private string Bin => System.IO.Path.Combine(_folder, "tool");

    private string Pack()
    {
        string feed = System.IO.Path.Combine(_folder, "feed");
        Required("bash", [SourceTree.At("build", "pack.sh"), feed, "--no-build"]);
        return feed;
    }

    private string Publish()
    {
        string folder = System.IO.Path.Combine(_folder, "published");
        Required(
            "dotnet",
            ["publish", SourceTree.At("src", "NullTextResearch.DotNetInteractive"), "-c", "Release", "--no-build", "-v", "q", "-nologo", "-o", folder]
        );
        return folder;
    }

    private IReadOnlyList<Ran> Run(IReadOnlyList<string> cells)
    {
        string file = System.IO.Path.Combine(_folder, "cells.json");
        File.WriteAllText(file, JsonSerializer.Serialize(cells));
        string answer = Required(
            Python,
            [System.IO.Path.Combine(AppContext.BaseDirectory, "python", "run_cells.py"), System.IO.Path.Combine(Bin, "dotnet-interactive"), _folder, file]
        );
        return [.. JsonNode.Parse(answer)!.AsArray().Select(c => new Ran(c!["status"]!.GetValue<string>(), [.. c["messages"]!.AsArray().Select(m => m!)]))];
    }

    internal static string Required(string program, IReadOnlyList<string> arguments)
    {
        (int code, string text) = Started(program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}\n{text}");
        return text;
    }

    // What it printed; of a program that failed, its errors too.
    private static (int Code, string Text) Started(string program, IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] =
            start.Environment["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] =
            start.Environment["PYDEVD_DISABLE_FILE_VALIDATION"] =
                "1";
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(),
            output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(Watchdog))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)}");
        }

        return (process.ExitCode, process.ExitCode == 0 ? output.Result : output.Result + errors.Result);
    }
}
