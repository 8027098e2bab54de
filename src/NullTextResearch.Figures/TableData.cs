using System.Globalization;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>A small table of text cells: the caller, who knows their precision, formats numbers.</summary>
/// <param name="Title">Caption of the table.</param>
/// <param name="Columns">Column names, with units.</param>
/// <param name="Rows">Cells of every row, as many as columns.</param>
public sealed record TableData(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <summary>The table as an HTML <c>table</c> element, everything escaped; columns of numbers are right-aligned.</summary>
    /// <returns>An HTML fragment.</returns>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public string ToHtml()
    {
        Check();
        bool[] numeric = [.. Enumerable.Range(0, Columns.Count).Select(IsNumeric)];
        StringBuilder html = new();
        html.Append("<table class=\"nt-table\">");
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
                html.Append(CultureInfo.InvariantCulture, $"<td{Align(i)}>{Html.Text(row[i])}</td>");
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
        Line(Columns);
        text.Append('|');
        for (int i = 0; i < Columns.Count; i++)
        {
            text.Append(IsNumeric(i) ? " ---: |" : " --- |");
        }

        text.Append('\n');
        foreach (IReadOnlyList<string> row in Rows)
        {
            Line(row);
        }

        return text.ToString();

        void Line(IReadOnlyList<string> cells)
        {
            text.Append('|');
            foreach (string cell in cells)
            {
                string safe = cell.ReplaceLineEndings(" ")
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

            // "31.2 ± 0.4", "1.7x" and "12 %" are numbers to a reader.
            string head = cell.Split([' ', '±', '%', 'x'], 2)[0];
            if (!double.TryParse(head, System.Globalization.NumberStyles.Float, Csv.Culture, out _))
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
