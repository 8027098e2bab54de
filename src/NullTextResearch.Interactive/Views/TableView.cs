using System.Text;
using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>A table.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
public sealed class TableView : Visual
{
    internal TableView(TableData table) => Table = table;

    /// <summary>Columns and cells; also as Markdown and CSV.</summary>
    public TableData Table { get; }

    private protected override Rendition Draw() => new(Plain(Table)) { Html = id => Markup.View(id, "table", Table.ToHtml()) };

    private static string Plain(TableData table)
    {
        int[] widths = [.. table.Columns.Select((column, c) => table.Rows.Select(row => row[c].Length).Append(column.Length).Max())];
        StringBuilder text = new();
        if (table.Title.Length > 0)
            text.Append(table.Title).Append('\n');
        foreach (IReadOnlyList<string> row in table.Rows.Prepend(table.Columns))
            text.Append(string.Join("  ", row.Select((cell, c) => cell.PadRight(widths[c]))).TrimEnd()).Append('\n');
        return text.ToString().TrimEnd('\n');
    }
}
