using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

/// <summary>F# cells, and what passes between them and C#.</summary>
[Collection(nameof(EngineFixture))]
public sealed class FSharpTests(EngineFixture session)
{
    [Theory]
    [InlineData("1 + 1", "2")]
    [InlineData("let square x = x * x\nsquare 7", "49")]
    [InlineData("[ 1; 2 ]", "[1; 2]")]
    [InlineData("Some 3", "Some(3)")]
    [InlineData("(None: int option)", "None")]
    [InlineData("sprintf \"%s!\" \"ä\"", "ä!")]
    [InlineData("let noResult = 5", null)]
    [InlineData("printfn \"x\"", null)]
    [InlineData("// nothing", null)]
    [InlineData("async { return 6 } |> Async.RunSynchronously", "6")]
    [InlineData("query { for i in [ 1; 2; 3 ] do\n        where (i > 1)\n        select (i * 10) } |> Seq.toList", "[20; 30]")]
    [InlineData("[ for i in 1..3 do i * 2 ]", "[2; 4; 6]")]
    [InlineData("[ for i in 1..2 do\n    for j in 1..2 do\n        if i <> j then\n            yield (i, j) ]", "[(1, 2); (2, 1)]")]
    [InlineData("let rec fact n = if n < 2 then 1 else n * fact (n - 1)\nfact 5", "120")]
    [InlineData("let parity = function\n    | n when n % 2 = 0 -> \"even\"\n    | _ -> \"odd\"\nparity 3", "odd")]
    [InlineData(
        "type Counter() =\n    let mutable n = 0\n    member _.Next() =\n        n <- n + 1\n        n\nlet c = Counter()\nc.Next() |> ignore\nc.Next()",
        "2"
    )]
    [InlineData("<@ fun x -> x + 1 @>.ToString().Contains \"Checkpoint\"", "false")]
    public void Run_Code_ItsValueIsTheResult(string code, string? value) => Assert.Equal(value, session.Ok("#!fsharp\n" + code).Value);

    [Fact]
    public void Run_Console_GoesToTheCell()
    {
        Ran ran = session.Ok("#!fsharp\nprintfn \"%d lines\" 2\neprintf \"wrong\"\nSystem.Console.Write \"end\"");
        Assert.Equal(("2 lines\nend", "wrong"), (ran.Out.ReplaceLineEndings("\n"), ran.Err));
    }

    [Fact]
    public void Run_Values_AreShownAsInCSharp()
    {
        session.Ok("#!fsharp\ntype FsRow = { Name: string; Score: float }\nlet fsRows = [ { Name = \"a\"; Score = 1.5 } ]");
        Assert.Contains("<td>a</td><td>1.5</td>", session.Ok("#!fsharp\nfsRows").Result.Result!.Data["text/html"]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("<td>a</td><td>1.5</td>", Html("#!fsharp\nfsRows |> display"), StringComparison.Ordinal);
        Assert.Equal("<b>x</b>", Html("#!fsharp\ndisplay(HTML \"<b>x</b>\")"));
        Assert.Equal("<i>", session.Ok("#!fsharp\ndisplayAs \"text/html\" \"<i>\"").Displays.Single()["text/html"]!.ToString());
        Assert.NotNull(session.Ok("#!fsharp\nNullTextResearch.Images.RgbImage(1, 1, [| 1uy; 2uy; 3uy |])").Value);

        string Html(string code) => session.Ok(code).Displays.Single()["text/html"]!.ToString();
    }

    [Fact]
    public void Run_CompilationError_HasPlaceAndNothingRuns()
    {
        Ran ran = session.Run("var before = 1;\n#!fsharp\nprintfn \"ran\"\nfor i in 1..2 do\n    printfn \"%s\" i");
        Assert.Equal((CellStatus.Error, "CompilationError"), (ran.Result.Status, ran.Result.Error!.Name));
        Assert.Contains("line 5, column 18: error FS0001", ran.Traceback, StringComparison.Ordinal);
        Assert.Contains("\n    " + "    printfn \"%s\" i\n    " + new string(' ', 17) + "^", ran.Traceback, StringComparison.Ordinal);
        Assert.Equal("", ran.Out);
    }

    [Fact]
    public void Run_Exception_HasLineAndFunction()
    {
        Ran ran = session.Run(
            "#!fsharp\nlet rec failing n =\n    if n = 0 then failwith \"boom\"\n    1 + failing (n - 1)\n\nfor i in 1..3 do\n    failing i |> ignore"
        );
        Assert.Equal(("Exception", "boom"), (ran.Result.Error!.Name, ran.Result.Error.Message));
        Assert.Matches(@"at Cell \[\d+\], line 3, in failing\n", ran.Traceback);
        Assert.Matches(@"at Cell \[\d+\], line 7\n", ran.Traceback);
        Assert.DoesNotContain("StartupCode", ran.Traceback, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int", "41 + 1", "x + 1", "43")]
    [InlineData("string", "\"ä\"", "x + \"!\"", "ä!")]
    [InlineData("double?", "2.5", "x.Value * 2.0", "5")]
    [InlineData("List<int>", "new() { 1, 2 }", "x.Add 3\nx.Count", "3")]
    [InlineData("int[,]", "new int[2, 3]", "x.[1, 2] <- 5\nArray2D.length2 x", "3")]
    [InlineData("(int, string)", "(1, \"a\")", "let struct (n, s) = x\ns + string n", "a1")]
    [InlineData("Dictionary<string, List<double>>", "new() { [\"a\"] = [1, 2] }", "Seq.sum x.[\"a\"]", "3")]
    [InlineData("IEnumerable<int>", "Enumerable.Range(1, 4).Where(n => n > 2)", "Seq.toList x", "[3; 4]")]
    [InlineData("Func<int, int>", "n => n * 2", "x.Invoke 4", "8")]
    [InlineData("object", "7", "x + 1", "8")]
    [InlineData("string", "null", "isNull x", "true")]
    [InlineData("var", "new { A = 3 }", "x.GetType().GetProperty(\"A\").GetValue x :?> int", "3")]
    [InlineData("TorchSharp.torch.Tensor", "TorchSharp.torch.arange(4)", "x.sum().item<int64>()", "6")]
    [InlineData("NullTextResearch.Images.RgbImage", "new(2, 1, new byte[6])", "x.Width", "2")]
    public void Share_CSharpVariable_ArrivesTyped(string type, string value, string use, string result) =>
        Assert.Equal(result, session.Ok($"{type} toF = {value};\n#!fsharp\n#!share --from csharp toF --as x\n{use}").Value);

    [Theory]
    [InlineData("41 + 1", "x + 1", "43")]
    [InlineData("\"text\"", "x.Length", "4")]
    [InlineData("[ 1; 2; 3 ]", "x.Sum()", "6")]
    [InlineData("[| 1.5; 2.5 |]", "x[1]", "2.5")]
    [InlineData("Map [ \"a\", 1 ]", "x[\"a\"]", "1")]
    [InlineData("System.Collections.Generic.List [ 1; 2 ]", "x.Count", "2")]
    [InlineData("fun (n: int) -> n + 1", "x.Invoke(2)", "3")]
    [InlineData("(1, \"b\")", "x.Item2", "b")]
    [InlineData("{| A = 5 |}", "x.A", "5")]
    [InlineData("TorchSharp.torch.ones([| 2L |])", "x.sum().item<float>()", "2")]
    public void Share_FSharpVariable_ArrivesUsable(string value, string use, string result) =>
        Assert.Equal(result, session.Ok($"#!fsharp\nlet toC = {value}\n#!csharp\n#!share --from fsharp toC --as x\n{use}").Value);

    [Fact]
    public void Share_IsByReference()
    {
        session.Ok("var shared = new List<int> { 1 };\n#!fsharp\n#!share --from csharp shared\nshared.Add 2");
        Assert.Equal("2", session.Ok("shared.Count").Value);
        Assert.Equal("true", session.Ok("#!fsharp\nlet back = shared\n#!csharp\n#!share --from fsharp back\nobject.ReferenceEquals(back, shared)").Value);
    }

    [Fact]
    public void Share_RecordsOfACell_CrossAsObjects()
    {
        Assert.Equal(
            "3",
            session
                .Ok(
                    "public record Point(int X);\nvar points = new List<Point> { new(3) };\n#!fsharp\n#!share --from csharp points\nlet p = Seq.head "
                        + "points in p.GetType().GetProperty(\"X\").GetValue(p)"
                )
                .Value
        );
        Assert.Equal(
            "b",
            session
                .Ok("#!fsharp\ntype FsPoint = { Label: string }\nlet fsPoint = { Label = \"b\" }\n#!csharp\n#!share --from fsharp fsPoint\nfsPoint.Label")
                .Value
        );
        Assert.Equal("3", session.Ok("#!share --from fsharp points --as again\nagain[0] is Point { X: var px } ? px : 0").Value);
    }

    [Theory]
    [InlineData("#!share --from csharp missingName", "csharp has no variable 'missingName'")]
    [InlineData("#!share --from pascal x", "no language 'pascal'")]
    [InlineData("#!share x", "needs --from")]
    [InlineData("#!share --from csharp", "one variable")]
    [InlineData("#!fsharp\nlet anyType x = x\n#!csharp\n#!share --from fsharp anyType", "cannot be shared from F#")]
    [InlineData("#!share --from fsharp \"1 + 1\"", "no variable '1 + 1'")]
    [InlineData("#!set --name x", "needs --value")]
    [InlineData("#!set --name x --value two words", "quotes")]
    [InlineData("#!set --name x --value @", "@language:variable")]
    [InlineData("#!set --name 3x --value 1", "cannot be the name")]
    [InlineData("#!fsharp\n#!set --name 3x --value 1", "cannot be the name")]
    [InlineData("#!set --nam x --value 1", "--nam")]
    [InlineData("#!connect", "echo")]
    [InlineData("#!connect nowhere --kernel-name n", "'nowhere'")]
    [InlineData("#!connect echo", "--kernel-name")]
    [InlineData("#!connect echo --kernel-name csharp", "'csharp'")]
    [InlineData("#!connect echo --kernel-name n --fail gone", "gone")]
    public void Directive_Wrong_Teaches(string code, string words)
    {
        Ran ran = session.Run(code);
        Assert.Equal(CellStatus.Error, ran.Result.Status);
        Assert.Contains(words, ran.Result.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Set_Values_AreTypedAsInDotNetInteractive()
    {
        Assert.Equal("5", session.Ok("#!set --name setA --value 2.5\nsetA * 2").Value);
        Assert.Equal("two words", session.Ok("#!set --name setB --value \"two words\"\nsetB").Value);
        Assert.Equal("3", session.Ok("#!set --name setC --value \"3\"\nsetC").Value);
        Assert.Equal("7", session.Ok("#!set --name setD --value {\"a\": 7}\nsetD.RootElement.GetProperty(\"a\").GetInt32()").Value);
        Assert.Equal("5", session.Ok("#!fsharp\n#!set --name setE --value @csharp:setA\nsetE * 2.0").Value);
        Assert.Equal(
            "[1,2]",
            session.Ok("var setF = new[] { 1, 2 };\n#!set --name setG --value @csharp:setF --mime-type application/json\nsetG.RootElement.GetRawText()").Value
        );
        List<(string, bool)> asked = [];
        Ran ran = session.Run(
            "#!set --name setH --value @input:\"Which one?\"\n#!set --name setI --value @password:key\nsetH + setI",
            (prompt, hidden, _) =>
            {
                asked.Add((prompt, hidden));
                return "x";
            }
        );
        Assert.Equal("xx", ran.Value);
        Assert.Equal([("Which one?", false), ("key", true)], asked);
    }

    [Fact]
    public void Cell_OfSeveralLanguages_RunsInOrder()
    {
        Ran ran = session.Ok(
            "Console.Write(\"1\");\n#!fsharp\nprintf \"2\"\nlet three = 3\n#!html\n<b>4</b>\n#!csharp\n#!share --from fsharp three\nthree + 1"
        );
        Assert.Equal(("12", "4"), (ran.Out, ran.Value));
        Assert.Equal("<b>4</b>", ran.Displays.Single()["text/html"]!.ToString());
    }

    [Fact]
    public void Who_AllLanguages_AreListed()
    {
        session.Ok("var whoC = 1;\n#!fsharp\nlet whoF = [ 1.5 ]");
        string names = session.Ok("#!who").Displays.Single()["text/plain"]!.ToString();
        Assert.Matches("csharp: .*whoC", names);
        Assert.Matches("fsharp: .*whoF", names);
        string table = session.Ok("#!fsharp\n#!whos").Displays.Single()["text/html"]!.ToString();
        Assert.Contains("<td>whoC</td><td>int</td><td>1</td><td>csharp</td>", table, StringComparison.Ordinal);
        Assert.Contains("<td>whoF</td><td>float list</td><td>[1.5]</td><td>fsharp</td>", table, StringComparison.Ordinal);
        Assert.DoesNotContain("displayAs", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Mermaid_Cell_GoesToWhoeverDrawsIt()
    {
        JsonObject data = session.Ok("#!mermaid\ngraph LR\n  A --> B").Displays.Single();
        Assert.Equal("```mermaid\ngraph LR\n  A --> B\n```\n", data["text/markdown"]!.ToString());
        Assert.Equal("graph LR\n  A --> B", data["text/vnd.mermaid"]!.ToString());
        Assert.Equal("graph LR\n  A --> B", data["text/plain"]!.ToString());

        // Drawn: front ends that know neither show the picture, which Markdown would hide.
        data = session.Ok("#!mermaid\npie\n  \"a\" : 1").Displays.Single();
        Assert.Equal(Convert.ToBase64String([1, 2, 3]), data["image/png"]!.ToString());
        Assert.Equal("pie\n  \"a\" : 1", data["text/vnd.mermaid"]!.ToString());
        Assert.Null(data["text/markdown"]);
    }

    [Fact]
    public void Connect_Language_IsAMemberLikeTheOthers()
    {
        session.Ok("#!connect echo --kernel-name parrot");
        Assert.Equal("hello", session.Ok("var word = \"hello\";\n#!parrot\n#!share --from csharp word --as said\nsaid").Value);
        Assert.Equal("HELLO", session.Ok("#!fsharp\n#!set --name heard --value @parrot:said\nheard.ToUpper()").Value);
        Assert.Contains("parrot: said", session.Ok("#!who").Displays.Single()["text/plain"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("echoed", session.Complete("#!parrot\nx|").Items.Single().Text);
        Assert.True(session.Engine.Runs("parrot"));
        Assert.Equal("parrot ended", session.Ok("#!connect echo --kernel-name parrot").Displays.Single()["text/plain"]!.ToString());
        Assert.Contains(
            "parrot has no variable 'said'; it has none",
            session.Run("#!share --from parrot said").Result.Error!.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("wait", 1)]
    [InlineData("wait twice", 2)]
    public void Interrupt_LanguageElsewhere_IsToldAndNeverForced(string code, int times)
    {
        session.Ok("#!connect echo --kernel-name waiter");
        Assert.Equal(CellStatus.Interrupted, session.Interrupted("#!waiter\n" + code, InterruptEffect.Asked, times).Result.Status);
    }

    [Theory]
    [InlineData("System.Console.Wri|", "WriteLine")]
    [InlineData("let completing = [ 1 ]\ncompleting.Le|", "Length")]
    [InlineData("List.ma|", "map")]
    [InlineData("let other = 1\noth|", "other")]
    [InlineData("mutab|", "mutable")]
    public void Complete_FSharp_KnowsTheSession(string code, string item)
    {
        string cell = "var notMine = 1;\n#!fsharp\n" + code;
        Completions found = session.Complete(cell);
        Assert.Contains(item, found.Items.Select(i => i.Text));
        string typed = cell[found.Start..found.End];
        Assert.StartsWith(typed, item, StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_MixedCell_AsksTheLanguageAtTheCursor()
    {
        session.Ok("#!fsharp\nlet earlierF = \"a\"");
        Assert.Contains("earlierF", session.Complete("#!fsharp\nearl|\n#!csharp\nConsole.").Items.Select(i => i.Text));
        Assert.Contains("WriteLine", session.Complete("#!fsharp\nlet q = earlierF\n#!csharp\nConsole.Write|").Items.Select(i => i.Text));
        Assert.Contains("#!share", session.Complete("#!fsharp\n#!sha|").Items.Select(i => i.Text));
    }

    [Fact]
    public void Inspect_FSharp_SaysTypeAndDocumentation()
    {
        session.Ok("#!fsharp\n/// Doubles it.\nlet doubled (x: int) = x * 2");
        Assert.Contains("int -> int", session.Inspect("#!fsharp\ndoub|led 3")!.Replace("x: ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("Sqrt", session.Inspect("#!fsharp\nSystem.Math.Sq|rt 2.0")!, StringComparison.Ordinal);
        Assert.Null(session.Inspect("#!fsharp\n   |"));
    }

    [Theory]
    [InlineData("let x = 1", "complete")]
    [InlineData("let f x =", "incomplete")]
    [InlineData("for i in 1..3 do", "incomplete")]
    [InlineData("let xs = [ 1; 2", "incomplete")]
    [InlineData("printfn (\"%d\"", "incomplete")]
    [InlineData("let s = \"open", "incomplete")]
    [InlineData("(* open", "incomplete")]
    [InlineData("let a = [| 1", "incomplete")]
    [InlineData("type R = { A: int", "incomplete")]
    [InlineData("let s = \"\"\"open\nmore", "incomplete")]
    [InlineData("match 3 with", "incomplete")]
    [InlineData("let = 3\nlet y = 4", "invalid")]
    [InlineData("let a = 1\n}", "invalid")]
    [InlineData(")", "invalid")]
    public void IsComplete_FSharp_IsJudged(string code, string status) => Assert.Equal(status, session.IsComplete("1\n#!fsharp\n" + code).Status);

    [Theory]
    [InlineData("System.Threading.Thread.Sleep 600000")]
    [InlineData("Async.Sleep 600000 |> Async.RunSynchronously")]
    [InlineData("async { while true do do! Async.Sleep 5 } |> Async.RunSynchronously")]
    [InlineData("(System.Threading.Tasks.Task.Delay 600000).Wait()")]
    [InlineData("while true do printfn \"x\"")]
    [InlineData("while true do ()")]
    [InlineData("let mutable n = 0L\nwhile true do\n    n <- n + 1L")]
    [InlineData("let rec down n = if n < 0 then n else down (if n = 0 then 1000 else n - 1)\ndown 5 |> ignore")]
    [InlineData("Seq.initInfinite id |> Seq.iter (fun i -> ignore i)")]
    [InlineData("let rec spin: int -> unit = function\n    | 0 -> spin 1\n    | n -> spin (1 - n)\nspin 0")]
    [InlineData("while true do\n    try\n        while true do ()\n    with _ -> ()")]
    [InlineData("for i in Seq.initInfinite id do TorchSharp.torch.ones([| 100L |]).sum() |> ignore")]
    public void Interrupt_FSharp_EndsAndVariablesStay(string code)
    {
        session.Ok("var keptC = 1;\n#!fsharp\nlet keptF = 2");
        Ran ran = session.Interrupted("#!fsharp\nprintfn \"go\"\n" + code);
        Assert.Equal((CellStatus.Interrupted, "Interrupted"), (ran.Result.Status, ran.Result.Error!.Name));
        Assert.Equal("3", session.Ok("#!fsharp\nlet again = keptF\n#!csharp\n#!share --from fsharp again\nagain + keptC").Value);
    }

    [Fact]
    public void Interrupt_WhileFSharpCompiles_LeavesTheSessionWhole()
    {
        session.Ok("#!fsharp\nlet beforeCompiling = 4");
        string large = string.Join(
            '\n',
            Enumerable
                .Range(0, 300)
                .Select(i => $"let large{i} (xs: int list) = xs |> List.map (fun x -> x + {i}) |> List.filter (fun x -> x % 2 = 0) |> List.sum")
        );
        Assert.Equal(CellStatus.Interrupted, session.InterruptedEarly($"#!fsharp\n{large}\nSystem.Threading.Thread.Sleep 600000", 300).Result.Status);
        Assert.Equal("10", session.Ok("#!fsharp\nlet rows = [ for i in 1..4 -> {| A = i |} ]\nrows |> List.sumBy (fun r -> r.A)").Value);
        Assert.Equal("4", session.Ok("#!fsharp\nbeforeCompiling").Value);
    }

    [Fact]
    public void Reference_InFSharp_ServesBothLanguages()
    {
        Assert.Equal(
            "1",
            session.Ok("#!fsharp\n#r \"System.CommandLine.dll\"\nlet option = System.CommandLine.Option<int>(\"-n\")\noption.Aliases.Count + 1").Value
        );
        Assert.Equal("-n", session.Ok("new System.CommandLine.Option<int>(\"-n\").Name").Value);
    }
}
