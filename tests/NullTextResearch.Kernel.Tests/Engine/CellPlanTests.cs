using NullTextResearch.Kernel.Engine;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

public sealed class CellPlanTests
{
    [Fact]
    public void Parse_PlainCode_IsOnePart() =>
        Assert.Equal(new CodePart(1, "var x = 1;\nx"), Assert.Single(CellPlan.Parse("var x = 1;\nx")));

    [Fact]
    public void Parse_DirectivesBetweenCode_KeepOrderAndLineNumbers()
    {
        IReadOnlyList<CellPart> parts = CellPlan.Parse("var x = 1;\n#!who\nvar y = 2;\n#r \"a.dll\"\ny");
        Assert.Equal(
            [new DirectivePart(4, "r", "a.dll"), new CodePart(1, "var x = 1;"), new DirectivePart(2, "who", ""), new CodePart(3, "\n\nvar y = 2;\n\ny")],
            parts);
    }

    [Theory]
    [InlineData("var s = \"\"\"\n#!who\n#r \"x\"\n\"\"\";")]
    [InlineData("/*\n#!nonsense\n*/ 1")]
    [InlineData("#if NEVER\n#!nonsense\n#endif\n1")]
    [InlineData("var s = @\"\n#!time\n\";")]
    public void Parse_DirectiveInsideStringOrComment_IsNone(string code) =>
        Assert.Equal(new CodePart(1, code), Assert.Single(CellPlan.Parse(code)));

    [Fact]
    public void Parse_OtherLanguages_AreTextUntilTheNextSwitch()
    {
        IReadOnlyList<CellPart> parts = CellPlan.Parse("#!html\n<b># r</b>\n#!markdown\n# title\n#!who\n#!csharp\n1");
        Assert.Equal(
            [new TextPart(2, "html", "<b># r</b>"), new TextPart(4, "markdown", "# title\n#!who"), new CodePart(7, "\n\n\n\n\n\n1")],
            parts);
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
    public void IsComplete_Samples_AreJudged(string code, string status) => Assert.Equal(status, CellEngine.IsComplete(code).Status);

    [Fact]
    public void IsComplete_OpenBlock_Indents() => Assert.Equal("        ", CellEngine.IsComplete("class C\n{\n    void F() {").Indent);
}
