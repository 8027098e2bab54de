using System.Diagnostics;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>Stopping code, and kernels that end.</summary>
[Collection(nameof(PythonFixture))]
public sealed class PythonStopTests(PythonFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// Two cells of one number, as a stop at the wrong moment leaves them, are an error in IPython's history database, which it prints into a cell's output.
    /// </summary>
    [Fact]
    public void Cells_OfOneNumber_PrintNothingOfADatabase()
    {
        PythonRun run = PythonRun.Ok(
            fixture.Shared,
            "h = get_ipython().history_manager\nh.store_inputs(1, 'a')\nh.store_inputs(1, 'b')\nh.writeout_cache()\ndel h\nprint('done')"
        );
        run.Until(r => r.Out.EndsWith("done\n", StringComparison.Ordinal));
        Assert.Equal("done\n", run.Out);
    }

    [Theory]
    [InlineData("import time\nprint('on', flush=True)\ntime.sleep(1000)")]
    [InlineData("print('on', flush=True)\nwhile True: pass")]
    [InlineData("import numpy\nm = numpy.ones((400, 400))\nprint('on', flush=True)\nwhile True: m @ m")]
    [InlineData("while True: print('on')")]
    [InlineData("print('on', flush=True)\ninput('?')")]
    [InlineData("import asyncio\nprint('on', flush=True)\nawait asyncio.sleep(1000)")]
    public void Interrupt_SixTimes_VariablesAreKept(string code)
    {
        if (code.Contains("numpy", StringComparison.Ordinal))
            PythonFixture.Require("numpy", "python3-numpy");
        JupyterConnection python = fixture.Shared;
        int? process = python.ProcessId;
        PythonRun.Ok(python, "kept = 123");
        // A first import that is interrupted leaves half of numpy behind, for all who share this Python.
        if (code.Contains("numpy", StringComparison.Ordinal))
            PythonRun.Ok(python, "import numpy");
        for (int i = 0; i < 6; i++)
        {
            // As it happens: some come before the code has begun, most in the middle.
            using CancellationTokenSource stop = new();
            PythonRun run = new(
                python,
                code,
                (_, _, cancel) =>
                {
                    cancel.WaitHandle.WaitOne();
                    throw new OperationCanceledException(cancel);
                },
                cancel: stop.Token
            );
            if (i > 0)
                run.Until(r => r.Out.Length > 0);
            if (i > 1)
                Thread.Sleep(20 * i);
            if (i % 2 == 0)
                stop.Cancel();
            else
                Assert.Equal(InterruptEffect.Stopping, python.Interrupt());
            try
            {
                Assert.Equal(CellStatus.Interrupted, run.Result.Status);
                Assert.NotNull(run.Result.Error);
            }
            catch (OperationCanceledException)
            {
                // The first is stopped before it is sent.
                Assert.Equal(0, i);
            }

            Assert.Equal("123", PythonRun.Eval(python, "kept"));
        }

        Assert.Equal(process, python.ProcessId);
        Assert.Equal(InterruptEffect.NothingRuns, python.Interrupt());
    }

    [Fact]
    public void Interrupt_CodeThatDoesNotListen_SecondOneEndsPythonAlone()
    {
        using JupyterConnection python = fixture.Start(
            new JupyterOptions { Impatience = TimeSpan.FromMilliseconds(300), Patience = TimeSpan.FromMilliseconds(500) }
        );
        int? before = python.ProcessId;
        PythonRun run = new(
            python,
            "kept = 1\nimport signal\nsignal.signal(signal.SIGINT, lambda *_: print('no', flush=True))\nprint('on', flush=True)\nwhile True: pass"
        );
        run.Until(r => r.Out.Length > 0);
        Assert.Equal(InterruptEffect.Stopping, python.Interrupt());
        // A double click does not end it.
        Assert.Equal(InterruptEffect.Stopping, python.Interrupt());
        run.Until(r => r.Err.Contains("Interrupt it again", StringComparison.Ordinal));
        Assert.False(run.HasEnded);
        Assert.Equal(InterruptEffect.Forcing, python.Interrupt());
        Assert.Equal(CellStatus.Interrupted, run.Result.Status);
        Assert.Contains("its variables are gone", run.Result.Error!.Message, StringComparison.Ordinal);
        Assert.Contains("no\n", run.Out, StringComparison.Ordinal);
        Assert.Equal("NameError", new PythonRun(python, "kept").Result.Error!.Name);
        Assert.NotEqual(before, python.ProcessId);
    }

    [Theory]
    [InlineData("import os; os._exit(3)", "exit code 3")]
    [InlineData("import ctypes; ctypes.string_at(0)", "SIGSEGV")]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL")]
    [InlineData("import os, sys; os.write(2, b'last \\x1b[31mwords'); os.abort()", "SIGABRT")]
    public void Run_PythonDies_IsToldAtOnceAndTheNextCellHasANewOne(string code, string expected)
    {
        using JupyterConnection python = fixture.Start();
        PythonRun.Ok(python, "kept = 1");
        PythonRun run = new(python, code);
        Assert.Equal((CellStatus.Error, "KernelDied"), (run.Result.Status, run.Result.Error!.Name));
        Assert.Contains(expected, run.Result.Error.Message, StringComparison.Ordinal);
        Assert.Contains("its variables are gone", run.Result.Error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[31mwords", string.Concat(run.Result.Error.Traceback), StringComparison.Ordinal);
        Assert.False(python.IsAlive);
        Assert.Empty(PythonFixture.Wait(python.VariablesAsync(Cancel)));
        Assert.Equal("2", PythonRun.Ok(python, "1 + 1").Value);
        Assert.Equal("NameError", new PythonRun(python, "kept").Result.Error!.Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_PythonEndedBetweenCells_IsToldWithTheNext(bool killed)
    {
        using JupyterConnection python = fixture.Start();
        int before = python.ProcessId!.Value;
        if (killed)
        {
            using Process process = Process.GetProcessById(before);
            process.Kill();
        }
        else
        {
            PythonRun.Ok(python, "exit()");
        }

        long started = Stopwatch.GetTimestamp();
        while (python.IsAlive)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1), "Python did not end.");
            Thread.Sleep(10);
        }

        PythonRun run = PythonRun.Ok(python, "1 + 1");
        Assert.Equal("2", run.Value);
        Assert.Contains(killed ? "SIGKILL" : "exit code 0", run.Err, StringComparison.Ordinal);
        Assert.Contains("and was restarted; its variables are gone", run.Err, StringComparison.Ordinal);
        Assert.NotEqual(before, python.ProcessId);
    }

    [Fact]
    public void Restart_WhileACellRuns_GivesANewPython()
    {
        using JupyterConnection python = fixture.Start();
        PythonRun.Ok(python, "kept = 1");
        PythonRun run = new(python, "print('on', flush=True)\nwhile True: pass");
        run.Until(r => r.Out.Length > 0);
        PythonFixture.Wait(python.RestartAsync(Cancel));
        Assert.Equal("KernelDied", run.Result.Error!.Name);
        PythonRun next = new(python, "kept");
        Assert.Equal("NameError", next.Result.Error!.Name);
        Assert.Empty(next.Err);
    }

    [Fact]
    public void Start_WithoutIpykernel_TellsWhatPythonSaidAndWhatToInstall()
    {
        PythonFixture.Require("ipykernel", "python3-ipykernel");
        CellException e = Assert.Throws<CellException>(() =>
            fixture.Start(change: s => s with { Arguments = [PythonFixture.Python, "-m", "no_such_kernel", "{connection_file}"] })
        );
        Assert.Contains("pip install ipykernel", e.Message, StringComparison.Ordinal);
        Assert.Contains("exit code 1", e.Message, StringComparison.Ordinal);
        Assert.Contains(e.Details, d => d.Contains("No module named no_such_kernel", StringComparison.Ordinal));
    }

    [Fact]
    public void Start_ProgramThatIsNotThere_IsNamed()
    {
        PythonFixture.Require("ipykernel", "python3-ipykernel");
        CellException e = Assert.Throws<CellException>(() => fixture.Start(change: s => s with { Arguments = ["/no/such/program", "{connection_file}"] }));
        Assert.Contains("/no/such/program", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_ProgramThatNeverAnswers_IsGivenUp()
    {
        PythonFixture.Require("ipykernel", "python3-ipykernel");
        CellException e = Assert.Throws<CellException>(() =>
            fixture.Start(
                new JupyterOptions { StartLimit = TimeSpan.FromSeconds(1) },
                s => s with { Arguments = ["/bin/sh", "-c", "echo I am here; exec sleep 1000", "{connection_file}"] }
            )
        );
        Assert.Contains("did not answer within 1 s", e.Message, StringComparison.Ordinal);
        Assert.Contains(e.Details, d => d.Contains("I am here", StringComparison.Ordinal));
    }

    [Fact]
    public void Start_Cancelled_LeavesNoProcess()
    {
        PythonFixture.Require("ipykernel", "python3-ipykernel");
        string mark = $"sleep {Random.Shared.Next(100_000, 999_999)}";
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(300));
        Task<JupyterConnection> start = JupyterConnection.StartAsync(
            fixture.Spec() with
            {
                Arguments = ["/bin/sh", "-c", $"{mark}; true", "{connection_file}"],
            },
            new JupyterOptions(),
            stop.Token
        );
        Assert.ThrowsAny<OperationCanceledException>(() => PythonFixture.Wait(start));
        Assert.DoesNotContain(Commands(), c => c.Contains(mark, StringComparison.Ordinal));
    }

    [Fact]
    public void Dispose_WhileACellRuns_EndsPythonAndWhatItStarted()
    {
        JupyterConnection python = fixture.Start(new JupyterOptions { Farewell = TimeSpan.FromMilliseconds(200) });
        PythonRun run = new(python, "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nprint(child.pid, flush=True)\nwhile True: pass");
        run.Until(r => r.Out.Length > 0);
        int child = int.Parse(run.Out);
        int process = python.ProcessId!.Value;
        string connection = Commands()
            .Single(c => c.StartsWith($"{process} ", StringComparison.Ordinal))
            .Split('\0')
            .Single(w => w.EndsWith("connection.json", StringComparison.Ordinal));
        // The key is gone as soon as Python has read it.
        Assert.False(Directory.Exists(Path.GetDirectoryName(connection)));
        python.Dispose();
        Assert.False(Directory.Exists($"/proc/{process}"));
        Assert.True(IsGone(child));
        Assert.Throws<ObjectDisposedException>(() => PythonFixture.Wait(python.RunAsync(new JupyterCell("1"), _ => { }, Cancel)));
    }

    [Fact]
    public void Parent_Killed_PythonEndsByItself()
    {
        // In between stands a shell, so that the parent can be killed without us.
        using JupyterConnection python = fixture.Start(change: s =>
            s with
            {
                Arguments = ["/bin/sh", "-c", $"{PythonFixture.Python} -m ipykernel_launcher -f \"$0\" & wait", "{connection_file}"],
            }
        );
        int kernel = int.Parse(PythonRun.Eval(python, "__import__('os').getpid()"));
        Assert.NotEqual(python.ProcessId, kernel);
        using (Process shell = Process.GetProcessById(python.ProcessId!.Value))
            shell.Kill();
        long started = Stopwatch.GetTimestamp();
        while (!IsGone(kernel))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(1), "Python outlived its parent.");
            Thread.Sleep(50);
        }
    }

    // A killed grandchild is nobody's until the system's first process has looked after it.
    private static bool IsGone(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].StartsWith('Z');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static List<string> Commands()
    {
        List<string> commands = [];
        foreach (string folder in Directory.GetDirectories("/proc").Where(f => int.TryParse(Path.GetFileName(f), out _)))
        {
            try
            {
                commands.Add($"{Path.GetFileName(folder)} {File.ReadAllText(Path.Combine(folder, "cmdline"))}");
            }
            catch (IOException)
            {
                // It ended while it was listed.
            }
        }

        return commands;
    }
}
