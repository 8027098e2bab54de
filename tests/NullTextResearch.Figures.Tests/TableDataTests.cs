namespace NullTextResearch.Figures.Tests;

public sealed class TableDataTests
{
    private static readonly TableData Table = new(
        "A <title>",
        ["name|pipe", "PSNR [dB]"],
        [
            ["<b>x</b> & y", "31.2 ± 0.4"],
            ["two\nlines", "-"],
        ]
    );

    [Fact]
    public void ToHtml_MarkupInCells_IsEscaped()
    {
        string html = Table.ToHtml();

        Assert.Contains("<caption><span>A &lt;title&gt;</span></caption>", html);
        Assert.Contains("<td>&lt;b&gt;x&lt;/b&gt; &amp; y</td>", html);
        Assert.DoesNotContain("<b>", html);
    }

    [Fact]
    public void ToHtml_ColumnOfNumbers_IsRightAlignedAndTextIsNot()
    {
        string html = Table.ToHtml();

        Assert.Contains("<th scope=\"col\" class=\"nt-number\">PSNR [dB]</th>", html);
        Assert.Contains("<th scope=\"col\">name|pipe</th>", html);
    }

    [Fact]
    public void Infinity_AmongNumbers_IsItsSignForPeopleAndItsWordForPrograms()
    {
        TableData table = new(
            "",
            ["PSNR [dB]", "said"],
            [
                ["31.2", "to Infinity and beyond"],
                ["Infinity", "exact"],
            ]
        );

        Assert.Contains("<td class=\"nt-number\">∞</td>", table.ToHtml());
        Assert.Contains("| ∞ | exact |", table.ToMarkdown());
        Assert.Contains("to Infinity and", table.ToHtml());
        Assert.Contains("Infinity,exact", table.ToCsv());
    }

    [Fact]
    public void ToMarkdown_PipesLineEndsAndTags_CannotBreakTheTable()
    {
        Assert.Equal("| name\\|pipe | PSNR [dB] |\n| --- | ---: |\n| &lt;b>x&lt;/b> & y | 31.2 ± 0.4 |\n| two lines | - |\n", Table.ToMarkdown());
    }

    [Fact]
    public void ToHtml_UnevenRow_NamesTableAndRow()
    {
        TableData uneven = new(
            "scores",
            ["a", "b"],
            [
                ["1", "2"],
                ["3"],
            ]
        );

        ArgumentException error = Assert.Throws<ArgumentException>(uneven.ToHtml);

        Assert.Contains("'scores': row 2 has 1 cells, expected 2 (a, b)", error.Message);
    }
}
