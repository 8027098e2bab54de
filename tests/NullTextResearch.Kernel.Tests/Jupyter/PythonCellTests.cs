using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>Python cells and everything they put out.</summary>
[Collection(nameof(PythonFixture))]
public sealed class PythonCellTests(PythonFixture fixture)
{
    private JupyterConnection Python => fixture.Shared;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Run_Outputs_ComeInTheirOrder()
    {
        PythonRun run = new(
            Python,
            "import sys\nprint('a ü€😀')\nsys.stdout.flush()\nprint('b', file=sys.stderr)\nsys.stderr.flush()\ndisplay({'x': 1})\n6 * 7",
            count: 12
        );
        Assert.Equal(CellStatus.Ok, run.Result.Status);
        Assert.Equal(
            ["a ü€😀\n", "b\n", "{'x': 1}", "42"],
            run.Outputs.Select(o =>
                o switch
                {
                    StreamOutput s => s.Text,
                    DisplayOutput d => d.Data["text/plain"]!.GetValue<string>(),
                    ResultOutput r => r.Data["text/plain"]!.GetValue<string>(),
                    _ => o.ToString(),
                }
            )
        );
        Assert.Equal([false, true], run.Outputs.OfType<StreamOutput>().Select(s => s.IsError));
        Assert.Equal(12, run.Outputs.OfType<ResultOutput>().Single().ExecutionCount);
    }

    [Fact]
    public void Run_PartOfACell_ShowsItsValueAsOutput()
    {
        PythonRun run = new(Python, "'part'", count: null);
        Assert.Equal(CellStatus.Ok, run.Result.Status);
        Assert.Equal("'part'", Assert.IsType<DisplayOutput>(Assert.Single(run.Outputs)).Data["text/plain"]!.GetValue<string>());
    }

    [Fact]
    public void Run_UpdateAndClear_NameTheSameDisplay()
    {
        PythonRun run = PythonRun.Ok(
            Python,
            "from IPython.display import clear_output\nh = display('first', display_id=True)\nh.update('second')\nclear_output(wait=True)\nclear_output()"
        );
        DisplayOutput[] shown = [.. run.Outputs.OfType<DisplayOutput>()];
        Assert.Equal([false, true], shown.Select(d => d.IsUpdate));
        Assert.Equal(shown[0].DisplayId, shown[1].DisplayId);
        Assert.Equal("'second'", shown[1].Data["text/plain"]!.GetValue<string>());
        Assert.Equal([true, false], run.Outputs.OfType<ClearOutput>().Select(c => c.Wait));
    }

    [Fact]
    public void Run_Error_HasPythonsTracebackWithOurCellAndLine()
    {
        using JupyterConnection python = fixture.Start();
        PythonRun run = new(python, "def f():\n    return 1 / 0\n\nf()", count: 7);
        Assert.Equal(CellStatus.Error, run.Result.Status);
        Assert.Equal(("ZeroDivisionError", "division by zero"), (run.Result.Error!.Name, run.Result.Error.Message));
        foreach (string part in (string[])["[7], line 4", "[7], line 2", "return 1 / 0"])
            Assert.Contains(part, run.Traceback, StringComparison.Ordinal);
        // Python counts on from our cell, forwards only; In and Out agree with it.
        Assert.Equal("'def f():\\n    return 1 / 0\\n\\nf()'", PythonRun.Eval(python, "In[7]"));
        PythonRun later = new(python, "1/0", count: 31);
        Assert.Contains("[31], line 1", later.Traceback, StringComparison.Ordinal);
        new PythonRun(python, "'value'", count: 40).Result.ToString();
        Assert.Equal("'value'", PythonRun.Eval(python, "Out[40]"));
    }

    [Fact]
    public void Run_SyntaxErrorAndNextCell_NothingIsLeftBehind()
    {
        PythonRun run = new(Python, "x = = 3");
        Assert.Equal((CellStatus.Error, "SyntaxError"), (run.Result.Status, run.Result.Error!.Name));
        Assert.Equal("2", PythonRun.Ok(Python, "1 + 1").Value);
    }

    [Fact]
    public void Run_Input_IsAskedOfUs()
    {
        List<(string, bool)> asked = [];
        PythonRun run = new(
            Python,
            "import getpass\na = input('Name? ')\nb = getpass.getpass('Word? ')\n(a, b)",
            (prompt, hidden, _) =>
            {
                asked.Add((prompt, hidden));
                return hidden ? "secret" : "Zoë 😀";
            }
        );
        Assert.Equal(CellStatus.Ok, run.Result.Status);
        Assert.Equal("('Zoë 😀', 'secret')", run.Value);
        Assert.Equal([("Name? ", false), ("Word? ", true)], asked);
    }

    [Fact]
    public void Run_InputThatNobodyAnswers_IsPythonsError()
    {
        PythonRun run = new(Python, "input('?')");
        Assert.Equal((CellStatus.Error, "StdinNotImplementedError"), (run.Result.Status, run.Result.Error!.Name));
    }

    [Fact]
    public void Run_InputThatFails_IsOurErrorAndPythonGoesOn()
    {
        PythonRun run = new(Python, "kept = 5\ninput('?')", (_, _, _) => throw new InvalidOperationException("no answer here"));
        Assert.Equal("no answer here", Assert.Throws<InvalidOperationException>(() => run.Result).Message);
        Assert.Equal("5", PythonRun.Eval(Python, "kept"));
    }

    [Fact]
    public void Run_OutputThatCannotBeTaken_IsThrownAtTheEnd()
    {
        Task<JupyterResult> run = Python.RunAsync(new JupyterCell("print('x')"), _ => throw new InvalidOperationException("full"), Cancel);
        Assert.Equal("full", Assert.Throws<InvalidOperationException>(() => PythonFixture.Wait(run)).Message);
        Assert.Equal("2", PythonRun.Ok(Python, "1 + 1").Value);
    }

    [Fact]
    public void Run_ThreadThatWritesLater_ReachesItsCell()
    {
        PythonRun run = PythonRun.Ok(Python, "import threading, time\nt = threading.Thread(target=lambda: (time.sleep(0.5), print('late')))\nt.start()");
        run.Until(r => r.Out == "late\n");
    }

    [Fact]
    public void Run_TenThousandLines_AllArrive()
    {
        PythonRun run = PythonRun.Ok(Python, "for i in range(10000): print(i, flush=i % 100 == 0)");
        Assert.Equal(string.Concat(Enumerable.Range(0, 10000).Select(i => $"{i}\n")), run.Out);
    }

    [Fact]
    public void Run_AwaitAndMagic_AreIPythons()
    {
        Assert.Equal("3", PythonRun.Ok(Python, "import asyncio\nawait asyncio.sleep(0.01, result=3)").Value);
        Assert.Contains("Wall time", PythonRun.Ok(Python, "%%time\npass").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Figure_ArrivesAsPng()
    {
        PythonFixture.Require("matplotlib", "python3-matplotlib");
        PythonRun run = PythonRun.Ok(Python, "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()");
        JsonObject data = run.Outputs.OfType<DisplayOutput>().Single().Data;
        byte[] png = Convert.FromBase64String(data["image/png"]!.GetValue<string>());
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], png[..4]);
        Assert.Contains("Figure", data["text/plain"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_CountsInUtf16Units()
    {
        PythonRun.Ok(Python, "class Thing:\n    def first_method(self): pass\nthing = Thing()");
        const string Code = "'😀'; thing.first_me";
        Completions found = PythonFixture.Wait(Python.CompleteAsync(Code, Code.Length, Cancel));
        Completion one = Assert.Single(found.Items);
        Assert.Equal("'😀'; thing.first_method", string.Concat(Code.AsSpan(0, found.Start), one.Text, Code.AsSpan(found.End)));
        Assert.Empty(PythonFixture.Wait(Python.CompleteAsync("thing.zzz", 9, Cancel)).Items);
    }

    [Fact]
    public void Inspect_KnownAndUnknown_AreTold()
    {
        PythonRun.Ok(Python, "def inspected(a, b=2):\n    'Adds things.'\n    return a + b");
        Assert.Contains("Adds things.", PythonFixture.Wait(Python.InspectAsync("inspected", 4, Cancel)), StringComparison.Ordinal);
        Assert.Null(PythonFixture.Wait(Python.InspectAsync("nothing_of_this_name", 4, Cancel)));
    }

    [Theory]
    [InlineData("x = 1", "complete", "")]
    [InlineData("for i in range(3):", "incomplete", "    ")]
    [InlineData("x = = 1", "invalid", "")]
    public void IsComplete_Code_IsPythonsAnswer(string code, string status, string indent) =>
        Assert.Equal(new Completeness(status, indent), PythonFixture.Wait(Python.IsCompleteAsync(code, Cancel)));

    [Fact]
    public void Questions_WhileACellRuns_AreAnsweredWithNothing()
    {
        PythonRun run = new(Python, "import time\nprint('on', flush=True)\ntime.sleep(1)");
        run.Until(r => r.Out.Length > 0);
        Assert.Empty(PythonFixture.Wait(Python.CompleteAsync("ti", 2, Cancel)).Items);
        Assert.Null(PythonFixture.Wait(Python.InspectAsync("time", 2, Cancel)));
        Assert.False(run.HasEnded);
        Assert.Equal(CellStatus.Ok, run.Result.Status);
    }

    [Fact]
    public void Variables_OfTheUser_AreListedWithTypeAndShortValue()
    {
        using JupyterConnection python = fixture.Start();
        PythonRun.Ok(
            python,
            "import sys\nx = 5\ntext = 'a' * 500\nclass Bad:\n    def __repr__(self): raise ValueError('no')\nbad = Bad()\n_hidden = 1\ndef function(): "
                + "pass\nhuge = list(range(10 ** 6))\n'shown'"
        );
        IReadOnlyList<JupyterVariable> found = PythonFixture.Wait(python.VariablesAsync(Cancel));
        Assert.Equal(["bad", "huge", "text", "x"], found.Select(v => v.Name));
        Assert.Equal(["__main__.Bad", "list", "str", "int"], found.Select(v => v.Type));
        Assert.Equal("5", found[3].Value);
        Assert.All(found, v => Assert.InRange(v.Value.Length, 1, 80));
        // Asking changes nothing of the user's.
        Assert.Equal("'shown'", PythonRun.Eval(python, "_"));
    }
}
