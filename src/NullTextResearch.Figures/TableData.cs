using System.Globalization;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>A small table of text cells: the caller, who knows their precision, formats numbers.</summary>
/// <param name="Title">Caption of the table.</param>
/// <param name="Columns">Column names, with units.</param>
/// <param name="Rows">Cells of every row, as many as columns.</param>
public sealed record TableData(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>Let readers of a report sort the rows by a click on a column's heading (default: false).</summary>
    public bool Sortable { get; init; }

    /// <summary>The table as an HTML <c>table</c> element, everything escaped; columns of numbers are right-aligned.</summary>
    /// <returns>An HTML fragment.</returns>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public string ToHtml()
    {
        Check();
        bool[] numeric = [.. Enumerable.Range(0, Columns.Count).Select(IsNumeric)];
        StringBuilder html = new();
        html.Append(Sortable ? "<table class=\"nt-table nt-sortable\">" : "<table class=\"nt-table\">");
        if (Title.Length > 0)
        {
            html.Append(CultureInfo.InvariantCulture, $"<caption><span>{Html.Text(Title)}</span></caption>");
        }

        html.Append("<thead><tr>");
        for (int i = 0; i < Columns.Count; i++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{Align(i)}>{Html.Text(Columns[i])}</th>");
        }

        html.Append("</tr></thead><tbody>");
        foreach (IReadOnlyList<string> row in Rows)
        {
            html.Append("<tr>");
            for (int i = 0; i < row.Count; i++)
            {
                html.Append(CultureInfo.InvariantCulture, $"<td{Align(i)}>{Html.Text(Shown(row[i], numeric[i]))}</td>");
            }

            html.Append("</tr>");
        }

        return html.Append("</tbody></table>").ToString();

        string Align(int column) => numeric[column] ? " class=\"nt-number\"" : "";
    }

    /// <summary>The table as GitHub-flavoured Markdown: no title, pipes escaped, line ends turned into spaces.</summary>
    /// <returns>Lines that end with a line feed.</returns>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public string ToMarkdown()
    {
        Check();
        StringBuilder text = new();
        bool[] numeric = [.. Enumerable.Range(0, Columns.Count).Select(IsNumeric)];
        Line(Columns, i => Columns[i]);
        text.Append('|');
        for (int i = 0; i < Columns.Count; i++)
        {
            text.Append(numeric[i] ? " ---: |" : " --- |");
        }

        text.Append('\n');
        foreach (IReadOnlyList<string> row in Rows)
        {
            Line(row, i => Shown(row[i], numeric[i]));
        }

        return text.ToString();

        void Line(IReadOnlyList<string> cells, Func<int, string> shown)
        {
            text.Append('|');
            for (int i = 0; i < cells.Count; i++)
            {
                string safe = shown(i)
                    .ReplaceLineEndings(" ")
                    .Replace("\\", "\\\\", StringComparison.Ordinal)
                    .Replace("|", "\\|", StringComparison.Ordinal)
                    .Replace("<", "&lt;", StringComparison.Ordinal);
                text.Append(' ').Append(safe).Append(" |");
            }

            text.Append('\n');
        }
    }

    /// <summary>The table as CSV, without its title.</summary>
    /// <returns>See <see cref="Csv.Write"/>.</returns>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public string ToCsv() => Csv.Write(Columns, Rows);

    // As read by people; CSV keeps the word, which programs read.
    private static string Shown(string cell, bool isNumber) => isNumber ? cell.Replace("Infinity", "∞", StringComparison.Ordinal) : cell;

    private bool IsNumeric(int column)
    {
        bool any = false;
        foreach (IReadOnlyList<string> row in Rows)
        {
            string cell = row[column].Trim();
            if (cell is "" or "-" or "–")
            {
                continue;
            }

            // "31.2 ± 0.4", "1.7x", "2.4 dB (1.6 to 3.1)" and "12 %" are numbers to a reader, "8 of 8 edits" is a sentence.
            string head = cell.Split([' ', '±', '%', 'x'], 2)[0];
            int words = cell.Split(' ').Count(word => word is not "to" && word.Any(char.IsLetter));
            if (words > 1 || !double.TryParse(head, NumberStyles.Float, Csv.Culture, out _))
            {
                return false;
            }

            any = true;
        }

        return any;
    }

    private void Check()
    {
        for (int i = 0; i < Rows.Count; i++)
        {
            if (Rows[i].Count != Columns.Count)
            {
                throw new ArgumentException(
                    $"Table '{Title}': row {i + 1} has {Rows[i].Count} cells, expected {Columns.Count} ({string.Join(", ", Columns)})."
                );
            }
        }
    }
}
