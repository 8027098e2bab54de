using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Running;

public sealed class NotebookHtmlTests
{
    [Fact]
    public void Write_ProseCodeAndOutputs_AreOnThePage()
    {
        NotebookDocument document = new()
        {
            Cells =
            [
                new NotebookCell
                {
                    Kind = CellKind.Markdown,
                    Language = "markdown",
                    Source = "# One < two\n\n| a | b |\n|---|---|\n| 1 | 2 |",
                },
                new NotebookCell
                {
                    Source = "var x = \"<b>\"; // note",
                    ExecutionCount = 1,
                    Outputs =
                    [
                        new JsonObject
                        {
                            ["output_type"] = "stream",
                            ["name"] = "stdout",
                            ["text"] = new JsonArray("a < b\n", "c"),
                        },
                        new JsonObject
                        {
                            ["output_type"] = "display_data",
                            ["data"] = new JsonObject { ["text/plain"] = "plain", ["text/html"] = new JsonArray("<i>rich</i>") },
                        },
                        new JsonObject
                        {
                            ["output_type"] = "display_data",
                            ["data"] = new JsonObject { ["text/plain"] = "plain", ["image/png"] = "AAAA" },
                        },
                        new JsonObject
                        {
                            ["output_type"] = "error",
                            ["ename"] = "E",
                            ["evalue"] = "m",
                            ["traceback"] = new JsonArray("\u001b[31mline\u001b[0m"),
                        },
                    ],
                },
            ],
        };

        string page = NotebookHtml.Write(document, "t & t");

        Assert.Contains("<title>t &amp; t</title>", page);
        // A phone shows the page at its own width, a dark screen in dark colours.
        Assert.Contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", page);
        Assert.Contains("@media (prefers-color-scheme: dark)", page);
        Assert.Contains("One &lt; two</h1>", page);
        Assert.Contains("<td>1</td>", page);
        Assert.Contains("<span class=\"kw\">var</span> x = <span class=\"st\">&quot;&lt;b&gt;&quot;</span>; <span class=\"co\">// note</span>", page);
        Assert.Contains("<pre>a &lt; b\nc</pre>", page);
        Assert.Contains("<i>rich</i>", page);
        Assert.DoesNotContain("plain", page);
        Assert.Contains("data:image/png;base64,AAAA", page);
        Assert.Contains("E: m\nline", page);
    }

    [Theory]
    [InlineData(@"inline $z_{t-1}^*$", "<msubsup><mi>z</mi><mrow><mi>t</mi><mo>−</mo><mn>1</mn></mrow><mo>∗</mo></msubsup>")]
    [InlineData(
        "$$\n\\frac{\\bar\\alpha_t}{2.5} \\lVert x \\rVert\n$$",
        "<mfrac><mrow><msub><mover accent=\"true\"><mi>α</mi><mo>¯</mo></mover><mi>t</mi></msub></mrow><mrow><mn>2.5</mn></mrow></mfrac>"
    )]
    [InlineData("before\n\n$$x$$\n\nafter", "<math display=\"block\"><mrow><mi>x</mi></mrow></math>")]
    [InlineData(@"$a \, \left( b \right)$", "<mi>a</mi><mspace width=\"0.17em\"/><mo>(</mo><mi>b</mi><mo>)</mo>")]
    [InlineData(@"$\unknown x$", @"<code>\unknown x</code>")]
    public void Prose_Formula_BecomesMathMlOrStaysReadable(string markdown, string expected) => Assert.Contains(expected, NotebookHtml.Prose(markdown));

    /// <summary>Markup in a notebook's text is shown, not followed: in prose, in code, in console output, in errors, in titles.</summary>
    [Fact]
    public void Write_MarkupInText_IsEscaped()
    {
        const string Evil = "<img src=x onerror=PWNED()></script><script>PWNED()</script>";
        NotebookDocument document = new()
        {
            Cells =
            [
                new NotebookCell
                {
                    Kind = CellKind.Markdown,
                    Language = "markdown",
                    Source =
                        $"{Evil}\n\n[link](javascript:PWNED()) [b](JaVa\tScRiPt:PWNED()) <javascript:PWNED()> ![i](vbscript:PWNED) $\\text{{{Evil}}}$ "
                        + "[fine](https://example.org)",
                },
                new NotebookCell
                {
                    Source = $"var p = \"{Evil}\"; // {Evil}",
                    Outputs =
                    [
                        new JsonObject
                        {
                            ["output_type"] = "stream",
                            ["name"] = "stdout",
                            ["text"] = Evil,
                        },
                        new JsonObject
                        {
                            ["output_type"] = "error",
                            ["ename"] = Evil,
                            ["evalue"] = Evil,
                            ["traceback"] = Evil,
                        },
                        new JsonObject
                        {
                            ["output_type"] = "display_data",
                            ["data"] = new JsonObject { ["image/png"] = $"AAAA\" onerror=\"PWNED()\">{Evil}" },
                        },
                        new JsonObject
                        {
                            ["output_type"] = "display_data",
                            ["data"] = new JsonObject { ["text/plain"] = Evil },
                        },
                    ],
                },
            ],
        };
        string page = NotebookHtml.Write(document, Evil);
        Assert.DoesNotContain("<img src=x", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("onerror=\"", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch("(?i)(href|src)=\"[^\"]*script:", page);
        Assert.Contains("href=\"https://example.org\"", page, StringComparison.Ordinal);
    }
}
