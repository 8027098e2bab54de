using System.Net;

namespace NullTextResearch.Figures;

/// <summary>The only place where text becomes HTML.</summary>
internal static class Html
{
    /// <summary>Escapes for element content and quoted attributes.</summary>
    internal static string Text(string value) => WebUtility.HtmlEncode(value);

    /// <summary>Escapes text that plotly.js would otherwise interpret as its small HTML dialect.</summary>
    internal static string PlotlyText(string value) =>
        value.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>JSON that is safe inside a script element: no tag can open or close in it.</summary>
    internal static string ScriptJson(string json) => json.Replace("<", "\\u003c", StringComparison.Ordinal);

    /// <summary>Paragraphs from text with blank lines between them.</summary>
    internal static string Paragraphs(string value) =>
        string.Concat(
            value
                .ReplaceLineEndings("\n")
                .Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(paragraph => $"<p>{Text(paragraph).Replace("\n", "<br>", StringComparison.Ordinal)}</p>")
        );
}
