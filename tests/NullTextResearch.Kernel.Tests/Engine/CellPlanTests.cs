using NullTextResearch.Kernel.Engine;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

public sealed class CellPlanTests
{
    [Fact]
    public void Parse_PlainCode_IsOnePart() => Assert.Equal(new CodePart(1, "var x = 1;\nx"), Assert.Single(CellPlan.Parse("var x = 1;\nx")));

    [Fact]
    public void Parse_DirectivesBetweenCode_KeepOrderAndLineNumbers()
    {
        IReadOnlyList<CellPart> parts = CellPlan.Parse("var x = 1;\n#!who\nvar y = 2;\n#r \"a.dll\"\ny");
        Assert.Equal(
            [new DirectivePart(4, "r", "a.dll"), new CodePart(1, "var x = 1;"), new DirectivePart(2, "who", ""), new CodePart(3, "\n\nvar y = 2;\n\ny")],
            parts
        );
    }

    [Theory]
    [InlineData("var s = \"\"\"\n#!who\n#r \"x\"\n\"\"\";")]
    [InlineData("/*\n#!nonsense\n*/ 1")]
    [InlineData("#if NEVER\n#!nonsense\n#endif\n1")]
    [InlineData("var s = @\"\n#!time\n\";")]
    public void Parse_DirectiveInsideStringOrComment_IsNone(string code) => Assert.Equal(new CodePart(1, code), Assert.Single(CellPlan.Parse(code)));

    [Fact]
    public void Parse_OtherLanguages_AreTextUntilTheNextSwitch()
    {
        IReadOnlyList<CellPart> parts = CellPlan.Parse("#!html\n<b># r</b>\n#!markdown\n# title\n#!who\n#!csharp\n1");
        Assert.Equal([new CodePart(2, "<b># r</b>", "html"), new CodePart(4, "# title\n#!who", "markdown"), new CodePart(7, "\n\n\n\n\n\n1")], parts);
    }

    [Theory]
    [InlineData("fsharp")]
    [InlineData("f#")]
    [InlineData("F#")]
    public void Parse_FSharp_KeepsLinesAndItsDirectives(string name) =>
        Assert.Equal(
            [
                new DirectivePart(6, "r", "nuget: A, 1.0", "fsharp"),
                new CodePart(1, "var x = 1;"),
                new DirectivePart(3, "share", "--from csharp x", "fsharp"),
                new CodePart(4, "\n\n\nlet y = x\n// #!who is text here\n\ny", "fsharp"),
                new CodePart(9, "\n\n\n\n\n\n\n\nx"),
            ],
            CellPlan.Parse($"var x = 1;\n#!{name}\n#!share --from csharp x\nlet y = x\n// #!who is text here\n#r \"nuget: A, 1.0\"\ny\n#!csharp\nx")
        );

    [Fact]
    public void Parse_Connect_ItsNameIsALanguageFromThereOn()
    {
        IReadOnlyList<CellPart> parts = CellPlan.Parse("#!connect jupyter --kernel-name py --kernel-spec python3\n#!py\n#!usr/bin\nx = 1\n#r \"no\"\n#!who");
        Assert.Equal(
            [
                new DirectivePart(1, "connect", "jupyter --kernel-name py --kernel-spec python3"),
                new CodePart(3, "\n\n#!usr/bin\nx = 1\n#r \"no\"", "py"),
                new DirectivePart(6, "who", "", "py"),
            ],
            parts
        );
        Assert.Contains(
            "#!connect jupyter --kernel-name python",
            Assert.Throws<CellException>(() => CellPlan.Parse("#!python\nx = 1")).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("a.|\n#!fsharp\nb", "csharp", "a.\n        \n ")]
    [InlineData("a\n#!fsharp\n#!share --from csharp a\nb.|", "fsharp", " \n        \n                       \nb.")]
    [InlineData("#!html\n<b|", "html", "      \n<b")]
    [InlineData("#!fsharp\nlet q = 1\n#!csharp\nx.|\n#!fsharp\nq", "csharp", "        \n         \n        \nx.\n        \n ")]
    [InlineData("#!nonsense\nx.|", "csharp", "          \nx.")]
    public void At_Cursor_IsSeenByItsLanguageAlone(string cell, string language, string text)
    {
        int position = cell.IndexOf('|', StringComparison.Ordinal);
        Assert.Equal((language, text), CellPlan.At(cell.Remove(position, 1), position));
    }

    [Theory]
    [InlineData("#!pwsh\nls", "pwsh")]
    [InlineData("1\n#!nonsense", "Line 2")]
    [InlineData("#r a.dll", "quotes")]
    public void Parse_WrongDirective_Teaches(string code, string word) =>
        Assert.Contains(word, Assert.Throws<CellException>(() => CellPlan.Parse(code)).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_RegionAndPragma_StayWithTheCompiler() =>
        Assert.IsType<CodePart>(Assert.Single(CellPlan.Parse("#region a\n#pragma warning disable CS0168\nint x;\n#endregion\n#nullable enable\n")));
}
