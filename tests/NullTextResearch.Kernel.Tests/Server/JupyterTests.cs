using System.Diagnostics;
using NullTextResearch.Kernel.Installing;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Server;

/// <summary>The built program as Jupyter runs it, tested by Jupyter's own client and its published test suite.</summary>
public sealed class JupyterTests
{
    [Theory]
    [InlineData("test_compliance")]
    [InlineData("test_kernel.Running")]
    [InlineData("test_kernel.Signatures")]
    [InlineData("test_live")]
    [InlineData("test_polyglot")]
    [InlineData("test_python")]
    public void Suite_OnTheBuiltKernel_Passes(string suite) => PythonSuite.Passes(suite, TimeSpan.FromMinutes(10));

    [Fact]
    public void Soak_FiveHundredCells_StaysWithinItsMemory()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("NULLTEXT_SOAK") is "1" or "all",
            "Takes half a minute of a quiet core: set NULLTEXT_SOAK=1, as CI does."
        );
        PythonSuite.Passes("test_soak", TimeSpan.FromMinutes(15));
    }

    [Fact]
    public void Soak_ThreeHundredPolyglotCells_StaysWithinItsMemory()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("NULLTEXT_SOAK") == "all", "Takes a minute of a quiet core: set NULLTEXT_SOAK=all.");
        PythonSuite.Passes("test_soak_polyglot", TimeSpan.FromMinutes(15));
    }
}

/// <summary>As <see cref="JupyterTests"/>, for what ends: a class of its own runs beside the other.</summary>
public sealed class JupyterStopTests
{
    [Theory]
    [InlineData("test_kernel.Interrupts")]
    [InlineData("test_kernel.Lives")]
    public void Suite_OnTheBuiltKernel_Passes(string suite) => PythonSuite.Passes(suite, TimeSpan.FromMinutes(10));
}

/// <summary>Runs a module of python/ against the built program.</summary>
internal static class PythonSuite
{
    // Debian's: the first python3 on the PATH may be another without Jupyter.
    private const string Python = "/usr/bin/python3";

    /// <summary>Fails with what the suite printed; skips where Debian's Jupyter is missing.</summary>
    public static void Passes(string suite, TimeSpan limit)
    {
        Require();
        (int code, string text) = Run(suite, limit);
        Assert.True(code == 0, text);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
    }

    private static void Require()
    {
        Assert.SkipUnless(File.Exists(Python), $"{Python} is missing: these tests need Debian's Python.");
        using Process probe = Process.Start(
            new ProcessStartInfo(Python, ["-c", "import jupyter_client, jupyter_kernel_test, zmq"]) { RedirectStandardError = true }
        )!;
        probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        Assert.SkipUnless(
            probe.ExitCode == 0,
            "Debian's Python lacks jupyter_client or jupyter_kernel_test: apt-get install -y --no-install-recommends jupyter-client python3-jupyter-kernel-test"
        );
    }

    private static (int Code, string Text) Run(string suite, TimeSpan limit)
    {
        string data = Directory.CreateTempSubdirectory("nulltext-jupyter-").FullName;
        try
        {
            KernelSpec.Write(Path.Combine(data, "kernels", KernelSpec.StandardName), Path.Combine(AppContext.BaseDirectory, "nulltext.dll"));
            // To a file: a kernel that outlives a killed test would keep a pipe open.
            string log = Path.Combine(data, "log.txt");
            ProcessStartInfo start = new("/bin/sh", ["-c", $"exec {Python} -W ignore -m unittest -v {suite} > '{log}' 2>&1"])
            {
                WorkingDirectory = Path.Combine(AppContext.BaseDirectory, "python"),
            };
            start.Environment["JUPYTER_PATH"] = data;
            start.Environment["JUPYTER_RUNTIME_DIR"] = Path.Combine(data, "runtime");
            start.Environment["JUPYTER_PLATFORM_DIRS"] = "0";
            start.Environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1";
            start.Environment["NULLTEXT_THREADS"] = "1";
            using Process process = Process.Start(start)!;
            if (!process.WaitForExit(limit))
            {
                process.Kill(entireProcessTree: true);
                return (-1, $"{suite} did not end within {limit}:\n{File.ReadAllText(log)}");
            }

            return (process.ExitCode, File.ReadAllText(log));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }
}
