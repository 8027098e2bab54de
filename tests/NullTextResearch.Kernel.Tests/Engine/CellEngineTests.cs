using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

[Collection(nameof(EngineFixture))]
public sealed class CellEngineTests(EngineFixture session)
{
    [Fact]
    public void Run_Expression_IsTheResult()
    {
        Assert.Equal("42", session.Ok("6 * 7").Value);
        Assert.Null(session.Ok("Math.Abs(-7);").Value);
        Assert.Null(session.Ok("Console.Write(1)").Value);
        Assert.Equal("null", session.Ok("(string?)null").Value);
        Assert.Equal("7", session.Ok("await Task.FromResult(7)").Value);
    }

    [Fact]
    public void Run_Cells_ShareVariablesMethodsTypesAndUsings()
    {
        session.Ok("using System.Globalization;\nrecord Point(int X, int Y);\nint Twice(int n) => 2 * n;\nvar shared = new Point(1, 2);");
        Assert.Equal("4", session.Ok("Twice(shared.Y)").Value);
        Assert.Equal("Point { X = 1, Y = 2 }", session.Ok("shared").Value);
        Assert.Equal("1,5", session.Ok("1.5.ToString(new NumberFormatInfo { NumberDecimalSeparator = \",\" })").Value);
    }

    [Fact]
    public void Run_CSharp14_IsTheLanguage()
    {
        session.Ok("class Holder { public string Name { get => field; set => field = value.Trim(); } = \"\"; }");
        Assert.Equal("a", session.Ok("var holder = new Holder(); holder?.Name = \" a \"; holder.Name").Value);
    }

    [Fact]
    public void Run_LocalsAfterAwait_StayOnTheCellsThread()
    {
        string code =
            "var before = Environment.CurrentManagedThreadId; await Task.Delay(5); await Task.Run(() => 1); before == Environment.CurrentManagedThreadId";
        Assert.Equal("true", session.Ok(code).Value);
        Assert.Equal("true", session.Ok("await Task.Run(() => System.Threading.SynchronizationContext.Current is null)").Value);
    }

    [Fact]
    public void Run_CompileError_SaysCellLineAndColumn()
    {
        Ran ran = session.Run("var a = 1;\nvar b = nowhere;");
        Assert.Equal(("CompilationError", CellStatus.Error), (ran.Result.Error!.Name, ran.Result.Status));
        Assert.Contains($"Cell [{ran.Result.ExecutionCount}], line 2, column 9: error CS0103", ran.Traceback, StringComparison.Ordinal);
        Assert.Contains("        ^^^^^^^", ran.Traceback, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Exception_ShowsCellsLinesAndCauses()
    {
        int first = session.Ok("void Inner()\n{\n    throw new ArgumentException(\"deep\");\n}").Result.ExecutionCount;
        Ran ran = session.Run("#!time\ntry\n{\n    Inner();\n}\ncatch (Exception e)\n{\n    throw new InvalidOperationException(\"outer\", e);\n}");
        int second = ran.Result.ExecutionCount;
        Assert.Equal("InvalidOperationException", ran.Result.Error!.Name);
        foreach (
            string words in (string[])
                [$"at Cell [{second}], line 8", "caused by ArgumentException: deep", $"at Cell [{first}], line 3, in Inner", $"at Cell [{second}], line 4"]
        )
            Assert.Contains(words, ran.Traceback, StringComparison.Ordinal);
        Assert.DoesNotContain("Submission", ran.Traceback, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_ExceptionInLambdaAndAsync_NamesTheLine()
    {
        Ran ran = session.Run("async Task Work()\n{\n    await Task.Yield();\n    _ = new[] { 1 }.Select(i => i / (i - 1)).ToArray();\n}\nawait Work();");
        Assert.Contains("line 4", ran.Traceback, StringComparison.Ordinal);
        Assert.Contains("line 6", ran.Traceback, StringComparison.Ordinal);
        Assert.Contains("Work", ran.Traceback, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_StackOfFailedCell_KeepsItsVariables()
    {
        session.Run("var kept = 5; throw new Exception();");
        Assert.Equal("5", session.Ok("kept").Value);
    }

    [Fact]
    public void Interrupt_NothingRuns_SaysSo() => Assert.Equal(InterruptEffect.NothingRuns, session.Engine.Interrupt());

    [Theory]
    [InlineData("long turns = 0; while (true) turns++;")]
    [InlineData("System.Threading.Thread.Sleep(100_000);")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("Task.Delay(-1).Wait();")]
    [InlineData("lock (new object()) while (true) System.Threading.Thread.Sleep(1);")]
    [InlineData("foreach (var i in Enumerable.Range(0, int.MaxValue)) Console.Write(i);")]
    [InlineData("while (true) { _ = new int[100].Select(i => i.ToString()).ToList(); }")]
    [InlineData("for (;;) ;")]
    [InlineData("int k = 0; do k++; while (k >= 0 || k < 0);")]
    [InlineData("foreach (var (a, b) in Enumerable.InfiniteSequence(0L, 1L).Select(i => (i, i))) if (a != b) break;")]
    [InlineData("again: var sum = 0; goto again;")]
    [InlineData("_ = Enumerable.InfiniteSequence(0L, 1L).Where(i => { return i < 0; }).First();")]
    [InlineData("bool Never(long i) { return i < 0; } _ = Enumerable.InfiniteSequence(0L, 1L).Where(Never).First();")]
    [InlineData("IEnumerable<int> Endless() { while (true) yield return 1; } _ = Endless().Sum(i => 0);")]
    [InlineData("while (true) { try { System.Threading.Thread.Sleep(1); } catch (Exception) { } }")]
    [InlineData("try { throw new Exception(); } catch { long n = 0; while (true) n++; }")]
    [InlineData("try { while (true) ; } catch (Exception) { }")]
    [InlineData("while (true) { try { while (true) ; } catch (Exception) { } }")]
    [InlineData("async Task Turn() { while (true) await Task.Yield(); } await Turn();")]
    [InlineData("Parallel.For(0L, long.MaxValue, i => { if (i < 0) throw new Exception(); });")]
    public void Interrupt_CellThatDoesNotListen_EndsAndEarlierVariablesStay(string code)
    {
        session.Ok("var solid = new int[] { 1, 2 };");
        Assert.Equal(InterruptEffect.Stopping, Interrupted("Console.WriteLine(\"go\"); " + code, out Ran ran));
        Assert.Equal((CellStatus.Interrupted, "Interrupted"), (ran.Result.Status, ran.Result.Error!.Name));
        Assert.Equal("2", session.Ok("solid.Length").Value);
    }

    [Fact]
    public void Interrupt_FinallyBlock_RunsToItsEnd()
    {
        Interrupted(
            "Console.WriteLine(\"go\"); var swept = 0; void Sweep() { for (int i = 0; i < 100; i++) swept++; } try { while (true) ; } finally { Sweep(); "
                + "for (int i = 0; i < 1000; i++) swept++; Console.Write(\"swept\"); }",
            out Ran ran
        );
        Assert.Equal(CellStatus.Interrupted, ran.Result.Status);
        Assert.EndsWith("swept", ran.Out, StringComparison.Ordinal);
        Assert.Equal("1100", session.Ok("swept").Value);
    }

    [Fact]
    public void Interrupt_Traceback_NamesTheLine()
    {
        Interrupted("Console.WriteLine(\"go\");\nlong n = 0;\nwhile (true)\n    n++;", out Ran ran);
        Assert.Matches(@"line [34]\b", ran.Traceback);
        Assert.DoesNotContain("Checkpoint", ran.Traceback, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_CompileErrorInALoop_NamesTheColumnOfTheUsersText() =>
        Assert.Contains("line 1, column 27", session.Run("while (true) { break; } ; missing();").Traceback, StringComparison.Ordinal);

    [Fact]
    public void Interrupt_CellThatListens_IsAskedFirst()
    {
        string code =
            "var listened = false; var stop = Notebook.Cancellation; Console.WriteLine(\"go\"); try { while (true) { stop.ThrowIfCancellationRequested(); "
            + "System.Threading.Thread.Sleep(1); } } finally { listened = true; }";
        Assert.Equal(InterruptEffect.Asked, Interrupted(code, out Ran ran));
        Assert.Equal(CellStatus.Interrupted, ran.Result.Status);
        Assert.Equal("true", session.Ok("listened").Value);
    }

    [Fact]
    public void Interrupt_CellThatListensButDoesNotEnd_IsStoppedAfterTheGrace()
    {
        Assert.Equal(
            InterruptEffect.Asked,
            Interrupted("_ = Notebook.Cancellation; Console.WriteLine(\"go\"); while (true) System.Threading.Thread.Sleep(1);", out Ran ran)
        );
        Assert.Equal(CellStatus.Interrupted, ran.Result.Status);
    }

    [Fact]
    public void Output_Order_IsThatOfTheCalls()
    {
        Ran ran = session.Ok("Console.Write(\"a\"); display(\"b\"); Console.Error.Write(\"c\"); Console.Write(\"d\"); 5");
        Assert.Equal(["StreamOutput", "DisplayOutput", "StreamOutput", "StreamOutput", "ResultOutput"], ran.Outputs.Select(o => o.GetType().Name));
    }

    [Fact]
    public void Update_ManyTimes_IsRateLimitedAndTheLastArrives()
    {
        Ran ran = session.Ok("var bar = display(\"0\"); for (int i = 1; i <= 2000; i++) bar.Update(i);");
        DisplayOutput[] updates = [.. ran.Outputs.OfType<DisplayOutput>().Where(d => d.IsUpdate)];
        Assert.InRange(updates.Length, 1, 10 * (int)Math.Ceiling(ran.Result.Elapsed.TotalSeconds) + 2);
        Assert.Equal("2000", updates[^1].Data["text/plain"]!.GetValue<string>());
        Assert.All(updates, u => Assert.Equal(ran.Outputs.OfType<DisplayOutput>().First().DisplayId, u.DisplayId));
    }

    [Fact]
    public void Update_ByTaskAfterTheCell_StillArrivesThere()
    {
        Ran ran = session.Ok(
            "var late = display(\"0\"); _ = Task.Run(async () => { await Task.Delay(150); late.Update(\"done\"); Console.Write(\"text\"); });"
        );
        Assert.True(SpinWait.SpinUntil(() => ran.Out == "text" && ran.Displays.Last()["text/plain"]!.GetValue<string>() == "done", 3000));
    }

    [Fact]
    public void ReadLine_Input_IsAskedFor()
    {
        List<(string, bool)> asked = [];
        Ran ran = session.Run(
            "Console.ReadLine() + input(\"name? \") + password(\"key? \")",
            (prompt, hidden, _) =>
            {
                asked.Add((prompt, hidden));
                return "x";
            }
        );
        Assert.Equal("xxx", ran.Value);
        Assert.Equal([("", false), ("name? ", false), ("key? ", true)], asked);
    }

    [Fact]
    public void ReadLine_AfterTheEncodingWasSet_StillAsksTheUser()
    {
        session.Ok("Console.InputEncoding = Encoding.UTF8;");
        Assert.Equal("x", session.Run("Console.ReadLine()", (_, _, _) => "x").Value);
    }

    [Fact]
    public void ReadLine_Unattended_Teaches() =>
        Assert.Contains("unattended", session.Run("Console.ReadLine()").Result.Error!.Message, StringComparison.Ordinal);

    [Fact]
    public void Who_Variables_AreListedOnce()
    {
        session.Ok("var whoA = 1;");
        session.Ok("var whoA = \"two\";");
        string names = session.Ok("#!who").Displays.Single()["text/plain"]!.GetValue<string>();
        Assert.Single(names.Split((char[])[' ', '\n']), "whoA");
        string table = session.Ok("#!whos").Displays.Single()["text/html"]!.GetValue<string>();
        Assert.Contains("<td>whoA</td><td>string</td><td>two</td>", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_Cell_ShowsWallTime() =>
        Assert.StartsWith("Wall time: ", session.Ok("#!time\nvar t = 1;").Displays.Single()["text/plain"]!.GetValue<string>(), StringComparison.Ordinal);

    [Theory]
    [InlineData("html", "<b>x</b>", "text/html", "<b>x</b>")]
    [InlineData("markdown", "# x", "text/markdown", "# x")]
    [InlineData("javascript", "let a = 1;", "text/html", "let a = 1;")]
    public void OtherLanguage_Cell_IsShown(string language, string text, string mime, string contained) =>
        Assert.Contains(contained, session.Ok($"#!{language}\n{text}").Displays.Single()[mime]!.GetValue<string>(), StringComparison.Ordinal);

    [Fact]
    public void Import_Notebook_RunsItsCellsHereAndNested()
    {
        string inner = Path.Combine(session.Folder, "sub", "inner.dib");
        Directory.CreateDirectory(Path.GetDirectoryName(inner)!);
        File.WriteAllText(inner, "#!markdown\n\ntext\n\n#!csharp\n\nvar fromInner = 1;\n");
        // The inner path is relative to the notebook that names it.
        string outer = Path.Combine(session.Folder, "sub", "outer.csx");
        File.WriteAllText(outer, "#!import inner.dib\nvar fromOuter = fromInner + 1;\nConsole.Write(\"seen\");");
        Ran ran = session.Ok($"#!import {outer}\nfromOuter + 1");
        Assert.Equal("3", ran.Value);
        Assert.Equal("seen", ran.Out);
    }

    [Fact]
    public void Import_ErrorInside_NamesFileCellAndLineAndEndsTheCell()
    {
        string file = Path.Combine(session.Folder, "bad.dib");
        File.WriteAllText(file, "#!csharp\n\nvar importedBefore = 1;\n\n#!csharp\n\n// two\nthrow new Exception(\"x\");\n");
        Ran ran = session.Run($"#!import \"{file}\"\nvar never = 1;");
        Assert.Contains("bad.dib [2], line 2", ran.Traceback, StringComparison.Ordinal);
        Assert.Equal("1", session.Ok("importedBefore").Value);
        Assert.Equal("CompilationError", session.Run("never").Result.Error!.Name);
    }

    [Fact]
    public void Import_OfItself_IsRefused()
    {
        string file = Path.Combine(session.Folder, "circle.csx");
        File.WriteAllText(file, $"#!import {file}");
        Assert.Contains("imports itself", session.Run($"#!import {file}").Result.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("#!import nowhere.ipynb")]
    [InlineData("#r \"nowhere.dll\"")]
    public void Directive_MissingFile_SaysWhereItLooked(string code)
    {
        string message = session.Run(code).Result.Error!.Message;
        Assert.Contains("nowhere", message, StringComparison.Ordinal);
        Assert.Contains(Environment.CurrentDirectory, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reference_AssemblyBesideTheKernel_NeedsNoPath() =>
        Assert.Equal("Root", session.Ok("#r \"System.CommandLine\"\nusing System.CommandLine;\nnew RootCommand(\"x\") is not null ? \"Root\" : \"\"").Value);

    [Fact]
    public void Reference_OtherBuildOfAKernelAssembly_IsReplacedWithANotice()
    {
        string copy = Path.Combine(session.Folder, "System.CommandLine.dll");
        File.Copy(typeof(Xunit.FactAttribute).Assembly.Location, copy, overwrite: true);
        Ran ran = session.Ok($"#r \"{copy}\"\nusing System.CommandLine;\nnew RootCommand(\"x\").Name is not null");
        Assert.Contains("part of this kernel", ran.Err, StringComparison.Ordinal);
        Assert.Equal("true", ran.Value);
    }

    [Fact]
    public void Reference_NextCell_StillHasIt()
    {
        session.Ok("#r \"Spectre.Console\"");
        Assert.Equal("true", session.Ok("Spectre.Console.Color.Red.R == 255").Value);
    }

    [Fact]
    public void Redeclare_Variable_LetsTheOldValueGo()
    {
        session.Ok("var heavy = new object(); var weak = new WeakReference(heavy);");
        session.Ok("var heavy = new object();");
        Assert.Equal("false", session.Ok("GC.Collect(); GC.WaitForPendingFinalizers(); GC.Collect(); weak.IsAlive").Value);
    }

    [Fact]
    public void Redeclare_VariableThatAMethodUses_LeavesItItsValue()
    {
        session.Ok("var seen = \"old\"; string Seen() => seen;");
        session.Ok("var seen = \"new\";");
        Assert.Equal("old", session.Ok("Seen()").Value);
    }

    [Fact]
    public void Complete_MembersVariablesAndDirectives_AreOffered()
    {
        session.Ok("var painter = new { Brush = 1 }; class Canvas { public int Width; } var list = new List<Canvas>();");
        Assert.Equal("Brush", Assert.Single(Complete("painter.Br")));
        Assert.Equal("Width", Assert.Single(Complete("list[0].Wid")));
        Assert.Contains("painter", Complete("var q = pai"));
        Assert.Equal("#!import", Assert.Single(Complete("#!imp")));
        Assert.Contains("WriteLine", Complete("Console.", 8));
    }

    [Fact]
    public void Complete_AfterRedeclaration_KnowsTheLatestType()
    {
        session.Ok("var shifting = 1;");
        session.Ok("var shifting = \"text\";");
        Assert.Equal("Length", Assert.Single(Complete("shifting.Leng")));
    }

    [Fact]
    public async Task Inspect_MethodArgumentsAndVariables_ShowSignatures()
    {
        session.Ok("/// <summary>Doubles.</summary>\nint Doubled(int n) => 2 * n;");
        Assert.Contains("Doubled(int n)", await session.Engine.InspectAsync("var z = Doubled(", 16), StringComparison.Ordinal);
        Assert.Null(await session.Engine.InspectAsync("   ", 1));
    }

    [Fact]
    public void Format_FormattersByConvention_AreUsed()
    {
        session.Ok(
            """
            [AttributeUsage(AttributeTargets.All)] class TypeFormatterSourceAttribute(Type source) : Attribute { public Type FormatterSourceType => source; public string[]? PreferredMimeTypes { get; set; } }
            class Pictures { public IEnumerable<object> CreateTypeFormatters() { yield return new Html(); yield return new Json(); yield return new Never(); } }
            class Html { public string MimeType => "text/html"; public bool Format(object value, System.IO.TextWriter writer) { writer.Write("<i>" + value + "</i>"); return true; } }
            class Json { public string MimeType => "application/vnd.test+json"; public bool Format(object value, System.IO.TextWriter writer) { writer.Write("{\"a\":1}"); return true; } }
            class Never { public string MimeType => "image/png"; public bool Format(object value, System.IO.TextWriter writer) => throw new Exception("cannot draw"); }
            [TypeFormatterSource(typeof(Pictures), PreferredMimeTypes = new[] { "text/html", "application/vnd.test+json", "image/png" })] class Picture { public override string ToString() => "pic"; }
            class Special : Picture { }
            """
        );
        Ran ran = session.Ok("new Special()");
        JsonObject data = ran.Result.Result!.Data;
        Assert.Equal("<i>pic</i>", data["text/html"]!.GetValue<string>());
        Assert.Equal(1, data["application/vnd.test+json"]!["a"]!.GetValue<int>());
        Assert.Equal("pic", data["text/plain"]!.GetValue<string>());
        Assert.False(data.ContainsKey("image/png"));
        Assert.Contains("cannot draw", ran.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("new[] { 1, 2, 3 }", "int[3] { 1, 2, 3 }")]
    [InlineData("1.5", "1.5")]
    [InlineData("true", "true")]
    [InlineData("'c'", "c")]
    [InlineData("(1, \"a\")", "(1, a)")]
    [InlineData("DayOfWeek.Monday", "Monday")]
    public void Format_PlainValues_AreReadable(string code, string text) => Assert.Equal(text, session.Ok(code).Value);

    [Fact]
    public void Format_ToStringThatThrows_DoesNotFailTheCell()
    {
        session.Ok("class Grumpy { public override string ToString() => throw new Exception(\"no\"); }");
        Assert.Contains("ToString failed", session.Ok("new Grumpy()").Value!, StringComparison.Ordinal);
    }

    [Fact]
    public void Format_Records_AreATable()
    {
        session.Ok("record Row(string Name, double Value);");
        Ran ran = session.Ok("new[] { new Row(\"a<b\", 1.5), new Row(\"c\", 2) }");
        Assert.Contains("<tr><td>a&lt;b</td><td>1.5</td></tr>", ran.Result.Result!.Data["text/html"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public void Library_HostingHook_ReachesTheCell()
    {
        Ran ran = session.Ok("Notebook.Host!.Display(new MimeBundle(\"p\").With(\"image/png\", new byte[] { 1, 2, 3 })); Notebook.Host.ClearOutput();");
        Assert.Equal("AQID", ran.Displays.Single()["image/png"]!.GetValue<string>());
        Assert.IsType<ClearOutput>(ran.Outputs[^1]);
    }

    private string[] Complete(string code, int? at = null) =>
        [.. session.Engine.CompleteAsync(code, at ?? code.Length).GetAwaiter().GetResult().Items.Select(i => i.Text)];

    [Theory]
    [InlineData("1 + 1", "complete")]
    [InlineData("", "complete")]
    [InlineData("#!who", "complete")]
    [InlineData("#!html\n<b>", "complete")]
    [InlineData("if (true) {", "incomplete")]
    [InlineData("var s = \"\"\"\n open", "incomplete")]
    [InlineData("/* open", "incomplete")]
    [InlineData("int 3x = 1;", "invalid")]
    [InlineData("}", "invalid")]
    public void IsComplete_Samples_AreJudged(string code, string status) => Assert.Equal(status, session.IsComplete(code).Status);

    [Fact]
    public void IsComplete_OpenBlock_Indents() => Assert.Equal("        ", session.IsComplete("class C\n{\n    void F() {").Indent);

    private InterruptEffect Interrupted(string code, out Ran ran)
    {
        Ran running = new();
        using ManualResetEventSlim started = new();
        Task<CellResult> task = session.Engine.RunAsync(
            new CellRequest(code),
            output =>
            {
                running.Add(output);
                if (output is StreamOutput)
                    started.Set();
            }
        );
        Assert.True(started.Wait(TimeSpan.FromSeconds(20)), "The cell did not start.");
        InterruptEffect effect = session.Engine.Interrupt();
        Assert.True(task.Wait(TimeSpan.FromSeconds(10)), "The cell did not stop.");
        running.Result = task.Result;
        ran = running;
        return effect;
    }
}
