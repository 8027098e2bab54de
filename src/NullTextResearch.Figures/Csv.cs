using System.Globalization;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>Comma-separated values as in RFC 4180, in the invariant culture.</summary>
public static class Csv
{
    internal static CultureInfo Culture => CultureInfo.InvariantCulture;

    /// <summary>Writes a header and rows.</summary>
    /// <param name="header">Column names.</param>
    /// <param name="rows">Cells of every row, as many as columns; null is an empty cell.</param>
    /// <returns>Lines that end with a line feed; cells with commas, quotes, line ends or outer spaces are quoted.</returns>
    /// <exception cref="ArgumentException">A row has more or fewer cells than the header.</exception>
    public static string Write(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string?>> rows)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(rows);
        StringBuilder text = new();
        Append(text, header);
        int number = 0;
        foreach (IReadOnlyList<string?> row in rows)
        {
            number++;
            if (row.Count != header.Count)
            {
                throw new ArgumentException($"Row {number} has {row.Count} cells, the header has {header.Count}.", nameof(rows));
            }

            Append(text, row);
        }

        return text.ToString();
    }

    /// <summary>A number as the shortest text that reads back as the same value.</summary>
    /// <param name="value">Any double.</param>
    /// <returns>For example <c>0.1</c>, <c>1E-05</c>, <c>NaN</c>, <c>Infinity</c>.</returns>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static void Append(StringBuilder text, IReadOnlyList<string?> cells)
    {
        for (int i = 0; i < cells.Count; i++)
        {
            if (i > 0)
            {
                text.Append(',');
            }

            text.Append(Escape(cells[i] ?? ""));
        }

        text.Append('\n');
    }

    private static string Escape(string cell)
    {
        bool quote = cell.AsSpan().IndexOfAny(",\"\r\n") >= 0 || (cell.Length > 0 && (char.IsWhiteSpace(cell[0]) || char.IsWhiteSpace(cell[^1])));
        return quote ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }
}
