using System.Diagnostics;
using System.Runtime.CompilerServices;
using NullTextResearch.Interactive;
using NullTextResearch.Kernel.Jupyter;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>What sharing costs in memory, and that nothing stays.</summary>
[Collection(nameof(PythonFixture))]
public sealed class PythonMemoryTests(PythonFixture fixture)
{
    private const long Megabyte = 1 << 20;
    private const int Size = 100;

    [Fact]
    public void Soak_CellsAndLargeTensors_StayWithinTheirMemory()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("NULLTEXT_SOAK") == "all", "Takes half a minute and 500 MB: set NULLTEXT_SOAK=all.");
        PythonFixture.Require("numpy", "python3-numpy");
        CancellationToken cancel = TestContext.Current.CancellationToken;
        RuntimeHelpers.RunModuleConstructor(typeof(Workbench).Module.ModuleHandle);
        using JupyterConnection python = fixture.Start();
        PythonRun.Ok(python, "import numpy");
        (long Mine, long Its, long Peak) Now() => (Read("self", "VmRSS"), Read($"{python.ProcessId}", "VmRSS"), Read($"{python.ProcessId}", "VmHWM"));

        using Tensor values = rand(Size * Megabyte / 4);
        (long Mine, long Its, long Peak) empty = Now();
        long started = Stopwatch.GetTimestamp();
        PythonFixture.Wait(python.SetAsync("x", values, cancel));
        TimeSpan there = Stopwatch.GetElapsedTime(started);
        (long Mine, long Its, long Peak) once = Now();
        // The array itself; the file beside it is no memory of either process.
        Assert.InRange(once.Peak - empty.Its, Size, Size + 30);
        started = Stopwatch.GetTimestamp();
        using (Tensor got = Assert.IsType<Tensor>(PythonFixture.Wait(python.GetAsync("x", typeof(Tensor), cancel)).Value))
            Assert.Equal(values.shape, got.shape);
        TimeSpan back = Stopwatch.GetElapsedTime(started);

        (long Mine, long Its, long Peak) first = default;
        for (int i = 0; i < 20; i++)
        {
            PythonFixture.Wait(python.SetAsync("x", values, cancel));
            using Tensor got = Assert.IsType<Tensor>(PythonFixture.Wait(python.GetAsync("x", typeof(Tensor), cancel)).Value);
            if (i == 4)
                first = Now();
        }

        (long Mine, long Its, long Peak) shared = Now();
        for (int i = 0; i < 200; i++)
            PythonRun.Ok(python, $"y = [{i}] * 1000\nprint(len(y))\ny[0]");
        (long Mine, long Its, long Peak) last = Now();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"100 MB to Python {there.TotalSeconds:0.00} s, back {back.TotalSeconds:0.00} s; MB of ours and Python's, and Python's peak: before {empty}, "
                + $"with one tensor {once}, after 5 more {first}, after 20 {shared}, after 200 cells {last}"
        );
        // A lost tensor would be 100, a lost array too.
        Assert.InRange(shared.Its - first.Its, -Size, 20);
        Assert.InRange(shared.Mine - first.Mine, -2 * Size, 60);
        Assert.InRange(last.Its - shared.Its, -Size, 20);
        Assert.InRange(last.Mine - shared.Mine, -2 * Size, 60);
        // The old array lives until the new one takes its name.
        Assert.InRange(last.Peak - empty.Its, 0, (2 * Size) + 30);
    }

    private static long Read(string process, string field) =>
        long.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(l => l.StartsWith(field + ":", StringComparison.Ordinal))
                .Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[^2]
        ) / 1024;
}
