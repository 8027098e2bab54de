using System.Net;
using System.Text.RegularExpressions;

namespace NullTextResearch.Figures;

/// <summary>The only place where text becomes HTML.</summary>
internal static partial class Html
{
    /// <summary>Escapes for element content and quoted attributes.</summary>
    internal static string Text(string value) => WebUtility.HtmlEncode(value);

    /// <summary>Escapes text that plotly.js would otherwise interpret as its small HTML dialect.</summary>
    internal static string PlotlyText(string value) =>
        value.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>JSON that is safe inside a script element: no tag can open or close in it.</summary>
    internal static string ScriptJson(string json) => json.Replace("<", "\\u003c", StringComparison.Ordinal);

    /// <summary>Escapes text for reading: no line ends within "N = 10", "5 dB" or "80 %".</summary>
    internal static string Prose(string value) => Unbroken().Replace(Text(value), match => match.Value.Replace(' ', '\u00a0'));

    /// <summary>Paragraphs from text with blank lines between them.</summary>
    internal static string Paragraphs(string value) =>
        string.Concat(
            value
                .ReplaceLineEndings("\n")
                .Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(paragraph => $"<p>{Prose(paragraph).Replace("\n", "<br>", StringComparison.Ordinal)}</p>")
        );

    [GeneratedRegex(@"\w = (?=[-\d])|\d (?=(dB|%))")]
    private static partial Regex Unbroken();
}
