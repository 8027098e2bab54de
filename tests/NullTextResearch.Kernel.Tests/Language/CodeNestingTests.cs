using NullTextResearch.Kernel.Language;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Language;

public sealed class CodeNestingTests
{
    // Each repeated 300 times is deeper than any code, once it is not text.
    public static TheoryData<string, string> Deep =>
        new()
        {
            { "(", "" },
            { "[", "" },
            { "{", "" },
            { "a<", "" },
            { "a?.b", "" },
            { "$\"{", "" },
            { "$@\"{", "" },
            { "$\"\"\"{", "" },
            { "(", "\"text\"; " },
            { "(", "'(' " },
            { "(", "/* x */ " },
            { "(", "// x\n" },
            { "(", "\"\"\"x\n" },
            { "(", "\"not ended\n" },
            { "(", "'not ended\n" },
            { "(", "@\"a\"\"b\"" },
            { "(", "\"\"\"\n\"x\"\n\"\"\" + " },
            { "(", "#region don't\n" },
            { "(", "#if " },
            { "(", "#if false\n/*\n#endif\n" },
            { "(", "$\"{1:x'}\" " },
            { "(", "\"\"" },
            { "(", "@name " },
            { "f(a, ", "" },
            { "()", "f" },
            { "a = ", "" },
            { "new int[] { ", "" },
        };

    [Theory]
    [MemberData(nameof(Deep))]
    public void CompilerFault_NestedAbsurdly_IsTold(string part, string before)
    {
        string code = before + string.Concat(Enumerable.Repeat(part, 600));
        Assert.Contains("deep", CodeNesting.CompilerFault(code), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("var s = \"%\";")]
    [InlineData("var s = @\"%\";")]
    [InlineData("var s = \"\"\"\n%\n\"\"\";")]
    [InlineData("var s = \"\"\"%\"\"\";")]
    [InlineData("var s = $\"{{1}}\"; // %")]
    [InlineData("/* %\n% */ var x = 1;")]
    [InlineData("var s = $\"{1 + 1:0.00}{(true ? 1 : 2)} %\".Replace('(', '[');")]
    [InlineData("var s = $$\"\"\"\n{ {{1}} %\n\"\"\";")]
    public void ParserFault_BracketsInText_AreText(string code)
    {
        string full = code.Replace("%", new string('(', 1000), StringComparison.Ordinal);
        // In an interpolated string single braces would be code.
        Assert.Null(CodeNesting.ParserFault(full));
    }

    [Fact]
    public void CompilerFault_LongButFlat_IsFine()
    {
        string[] flat =
        [
            "var x = 1" + string.Concat(Enumerable.Repeat(" + 1", 3000)) + ";",
            "var b = a" + string.Concat(Enumerable.Repeat(" && a < 1", 3000)) + ";",
            string.Concat(Enumerable.Repeat("f(a < b, c[1]); ", 3000)),
            "var l = new[] { " + string.Concat(Enumerable.Repeat("(1, 2), ", 3000)) + "};",
            string.Concat(Enumerable.Repeat("if (x) { y(); } ", 3000)),
            "int? a = b?.c; ".PadRight(10) + string.Concat(Enumerable.Repeat("a?.b(); ", 3000)),
            "switch (x) { " + string.Concat(Enumerable.Range(0, 2000).Select(i => $"case {i}: return; ")) + "}",
            "if (a) ;" + string.Concat(Enumerable.Repeat(" else if (b) ;", 200)),
        ];
        Assert.All(flat, code => Assert.Null(CodeNesting.CompilerFault(code)));
    }

    [Fact]
    public void ParserFault_HugeCode_IsTold() =>
        Assert.Contains("a cell may have at most 4,000,000", CodeNesting.ParserFault(new string(' ', 4_000_001)), StringComparison.Ordinal);

    [Fact]
    public void ParserFault_Place_IsTheLine() =>
        Assert.StartsWith("Line 3:", CodeNesting.ParserFault("1\n2\n" + new string('(', 300)), StringComparison.Ordinal);
}
