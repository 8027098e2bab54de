namespace NullTextResearch.Figures;

/// <summary>A drawn chart in its output formats: JSON, HTML and CSV.</summary>
/// <param name="Title">Title of the chart.</param>
/// <param name="Height">Height in CSS pixels without the legend.</param>
/// <param name="PlotlyJson">An object with <c>data</c> and <c>layout</c>, as plotly.js and Jupyter's plotly MIME type expect it.</param>
/// <param name="CsvText">The numbers behind the chart.</param>
public sealed record ChartBundle(string Title, int Height, string PlotlyJson, string CsvText)
{
    /// <summary>
    /// A <c>div</c> with its data and the script that draws it, responsive from 300 pixels up; the page must have loaded plotly.js (<see
    /// cref="PlotlyScript"/>).
    /// </summary>
    /// <param name="divId">Identifier of the plot's element, unique in its page: letters, digits, <c>-</c> and <c>_</c>.</param>
    /// <param name="standIn">
    /// HTML to show until plotly.js is loaded, including a title, for pages that load it later or never (notebooks); null: a message says what is missing.
    /// </param>
    /// <returns>An HTML fragment.</returns>
    /// <exception cref="ArgumentException">The identifier contains other characters.</exception>
    public string HtmlFragment(string divId, string? standIn = null)
    {
        ArgumentNullException.ThrowIfNull(divId);
        if (divId.Length == 0 || divId.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
        {
            throw new ArgumentException($"'{divId}' is not a plain element id; use letters, digits, '-' and '_'.", nameof(divId));
        }

        // A stand-in has its own height and title; the script adds the title when the chart replaces it.
        string style = (standIn is null ? $"min-height:{Height.ToString(Csv.Culture)}px;" : "") + "width:100%";
        string title = standIn is null
            ? $"\n<div class=\"nt-chart-title\" style=\"font:600 16px/1.35 {Theme.FontFamilyAttribute};color:{Theme.Ink};margin:0 0 "
                + $"4px\">{Html.Text(Title)}</div>"
            : "";
        return $"""
            <div class="nt-chart">{title}
            <div id="{divId}" class="nt-plot" style="{style}" role="img" aria-label="{Html.Text(Title)}">{standIn}</div>
            <script type="application/json" id="{divId}-data">{Html.ScriptJson(PlotlyJson)}</script>
            <script>({Assets.ChartScript})("{divId}");</script>
            </div>

            """;
    }

    /// <summary>The numbers behind the chart, one row per point.</summary>
    /// <returns>CSV with a header; see <see cref="Csv.Write"/>.</returns>
    public string ToCsv() => CsvText;
}
