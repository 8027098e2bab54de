using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>A kernel of another language that takes interrupts as messages: our own, as a child.</summary>
public sealed class OtherKernelTests
{
    [Fact]
    public void Session_OfAnotherLanguage_RunsStopsAndCompletes()
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        JupyterSpec spec = new(
            "test",
            "/",
            "C#",
            "C#",
            ["dotnet", Path.Combine(AppContext.BaseDirectory, "nulltext.dll"), "kernel", "{connection_file}"],
            new Dictionary<string, string> { ["NULLTEXT_THREADS"] = "1", ["TORCH_CPP_LOG_LEVEL"] = "ERROR" },
            InterruptsByMessage: true
        );
        using JupyterConnection csharp = PythonFixture.Wait(
            JupyterConnection.StartAsync(spec, new JupyterOptions { StartLimit = TimeSpan.FromMinutes(2), QueryLimit = TimeSpan.FromMinutes(1) }, cancel)
        );
        Assert.Equal("c#", csharp.Language);
        Assert.False(csharp.CanShare);
        Assert.Equal("42", PythonRun.Ok(csharp, "int kept = 42; kept").Value);
        PythonRun run = new(csharp, "Console.WriteLine(\"on\"); while (true) { }");
        run.Until(r => r.Out.Length > 0);
        Assert.Equal(InterruptEffect.Stopping, csharp.Interrupt());
        Assert.Equal((CellStatus.Interrupted, "Interrupted"), (run.Result.Status, run.Result.Error!.Name));
        Assert.Equal("42", PythonRun.Ok(csharp, "kept").Value);
        Assert.Contains(PythonFixture.Wait(csharp.CompleteAsync("kept.ToSt", 9, cancel)).Items, c => c.Text == "ToString");
        Assert.Contains(
            "only with Python",
            Assert.Throws<CellException>(() => PythonFixture.Wait(csharp.SetAsync("x", 1, cancel))).Message,
            StringComparison.Ordinal
        );
        Assert.Empty(PythonFixture.Wait(csharp.VariablesAsync(cancel)));
    }
}
