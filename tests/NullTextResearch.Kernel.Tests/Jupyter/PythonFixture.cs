using System.Diagnostics;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>Debian's Python as a Jupyter kernel: one for the tests that leave it alive, others on request.</summary>
public sealed class PythonFixture : IDisposable
{
    public const string Python = "/usr/bin/python3";

    // Catches what hangs; cells take far less than a second.
    private static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-python-").FullName;
    private readonly Lazy<JupyterConnection> _shared;

    public PythonFixture() => _shared = new Lazy<JupyterConnection>(() => Start());

    /// <summary>Lives through all tests.</summary>
    internal JupyterConnection Shared
    {
        get
        {
            Require("ipykernel", "python3-ipykernel");
            return _shared.Value;
        }
    }

    /// <summary>Skips where Debian's Python lacks a module.</summary>
    public static void Require(string module, string package) =>
        Assert.SkipUnless(File.Exists(Python) && Import(module) == 0, $"{Python} lacks {module}: apt-get install -y --no-install-recommends {package}");

    public void Dispose()
    {
        if (_shared.IsValueCreated)
            _shared.Value.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A kernel of the caller's own.</summary>
    internal JupyterConnection Start(JupyterOptions? options = null, Func<JupyterSpec, JupyterSpec>? change = null)
    {
        Require("ipykernel", "python3-ipykernel");
        JupyterSpec spec = Spec();
        Task<JupyterConnection> start = JupyterConnection.StartAsync(
            change is null ? spec : change(spec),
            options ?? new JupyterOptions(),
            TestContext.Current.CancellationToken
        );
        return Wait(start);
    }

    /// <summary>Debian's python3, with its history away from the user's.</summary>
    internal JupyterSpec Spec()
    {
        JupyterSpec spec = JupyterSpec.Find("python3", ["/usr/share/jupyter/kernels"]);
        return spec with
        {
            Environment = new Dictionary<string, string>(spec.Environment) { ["IPYTHONDIR"] = _folder, ["MPLCONFIGDIR"] = _folder },
        };
    }

    internal static T Wait<T>(Task<T> task)
    {
        Assert.True(Task.WhenAny(task, Task.Delay(Watchdog)).GetAwaiter().GetResult() == task, "It did not end.");
        return task.GetAwaiter().GetResult();
    }

    internal static void Wait(Task task)
    {
        Assert.True(Task.WhenAny(task, Task.Delay(Watchdog)).GetAwaiter().GetResult() == task, "It did not end.");
        task.GetAwaiter().GetResult();
    }

    private static int Import(string module)
    {
        using Process probe = Process.Start(
            new ProcessStartInfo(Python, ["-c", $"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"])
            {
                RedirectStandardError = true,
            }
        )!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        return probe.ExitCode;
    }
}

/// <summary>A run of code in Python and what it put out.</summary>
internal sealed class PythonRun
{
    private readonly List<CellOutput> _outputs = [];
    private readonly JupyterConnection _python;
    private readonly Task<JupyterResult> _task;

    public PythonRun(
        JupyterConnection python,
        string code,
        Func<string, bool, CancellationToken, string>? input = null,
        int? count = 1,
        CancellationToken cancel = default
    )
    {
        _python = python;
        _task = python.RunAsync(new JupyterCell(code) { Count = count, Input = input }, Add, cancel);
    }

    public IReadOnlyList<CellOutput> Outputs
    {
        get
        {
            lock (_outputs)
                return [.. _outputs];
        }
    }

    public JupyterResult Result => PythonFixture.Wait(_task);

    public bool HasEnded => _task.IsCompleted;

    public string Out => string.Concat(Outputs.OfType<StreamOutput>().Where(s => !s.IsError).Select(s => s.Text));

    public string Err => string.Concat(Outputs.OfType<StreamOutput>().Where(s => s.IsError).Select(s => s.Text));

    public string? Value => Outputs.OfType<ResultOutput>().LastOrDefault()?.Data["text/plain"]?.GetValue<string>();

    public string Traceback => System.Text.RegularExpressions.Regex.Replace(string.Join('\n', Result.Error?.Traceback ?? []), "\u001b\\[[\\d;]+m", "");

    /// <summary>Waits for an output.</summary>
    public void Until(Func<PythonRun, bool> seen)
    {
        long started = Stopwatch.GetTimestamp();
        while (!seen(this))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1), $"It did not come: {Out}{Err}");
            Thread.Sleep(5);
        }
    }

    /// <summary>Runs code that must succeed.</summary>
    public static PythonRun Ok(JupyterConnection python, string code)
    {
        PythonRun run = new(python, code);
        Assert.True(run.Result.Status == CellStatus.Ok, $"{code}: {run.Traceback}");
        return run;
    }

    /// <summary>The value of an expression, as Python writes it.</summary>
    public static string Eval(JupyterConnection python, string expression)
    {
        PythonRun run = Ok(python, $"print(repr({expression}))");
        run.Until(r => r.Out.EndsWith('\n'));
        return run.Out.TrimEnd('\n');
    }

    private void Add(CellOutput output)
    {
        lock (_outputs)
            _outputs.Add(output);
    }
}

[CollectionDefinition(nameof(PythonFixture))]
public sealed class PythonCollection : ICollectionFixture<PythonFixture>;
