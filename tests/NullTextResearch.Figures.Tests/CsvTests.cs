using System.Globalization;

namespace NullTextResearch.Figures.Tests;

public sealed class CsvTests
{
    [Fact]
    public void Write_SpecialCharacters_AreQuotedAndReadBack()
    {
        string[] header = ["plain", "with,comma"];
        string?[][] rows =
        [
            ["say \"hi\"", "two\nlines"],
            [null, " padded"],
            ["1.5", ""],
        ];

        string text = Csv.Write(header, rows);

        Assert.Equal("plain,\"with,comma\"\n\"say \"\"hi\"\"\",\"two\nlines\"\n,\" padded\"\n1.5,\n", text);
        Assert.Equal([header, ["say \"hi\"", "two\nlines"], ["", " padded"], ["1.5", ""]], Parse(text));
    }

    [Fact]
    public void Write_UnevenRow_NamesTheRow()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() =>
            Csv.Write(
                ["a", "b"],
                [
                    ["1", "2"],
                    ["3"],
                ]
            )
        );

        Assert.Contains("Row 2 has 1 cells, the header has 2", error.Message);
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(1e-5, "1E-05")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.PositiveInfinity, "Infinity")]
    public void Number_AnyValue_IsInvariantAndRoundTrips(double value, string expected)
    {
        string text = Csv.Number(value);

        Assert.Equal(expected, text);
        Assert.Equal(value, double.Parse(text, CultureInfo.InvariantCulture));
    }

    /// <summary>A reader written from RFC 4180, independent of the writer.</summary>
    internal static List<string[]> Parse(string text)
    {
        List<string[]> rows = [];
        List<string> cells = [];
        string cell = "";
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (quoted && c == '"' && i + 1 < text.Length && text[i + 1] == '"')
            {
                cell += c;
                i++;
            }
            else if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && c is ',' or '\n' && !quoted)
            {
                cells.Add(cell);
                cell = "";
                if (c == '\n')
                {
                    rows.Add([.. cells]);
                    cells.Clear();
                }
            }
            else
            {
                cell += c;
            }
        }

        return rows;
    }
}
