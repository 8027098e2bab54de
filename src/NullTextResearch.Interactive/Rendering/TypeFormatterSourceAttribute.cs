using NullTextResearch.Hosting;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// Tells a notebook kernel how a type shows itself. Kernels look for an attribute of this name, wherever it is declared
/// (the convention of .NET Interactive), so no package of theirs is needed.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    private string[] _preferred = [Mime.Html, Mime.Text];

    /// <summary>Makes the formatters; has a public parameterless constructor and <c>CreateTypeFormatters()</c>.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>What is emitted, and in which order.</summary>
    public string[] PreferredMimeTypes
    {
        // .NET Interactive sends every mime type but application/json as a string, and no front end draws a chart from that.
        // Where a formatter declines it sends an empty string, so what cannot be made is not offered.
        get =>
            Notebook.Host is { DeliversJson: true }
                ? _preferred
                : [.. _preferred.Where(m => m != Mime.Plotly && !(m == Mime.Png && _preferred.Contains(Mime.Plotly) && !StaticCharts.Available))];
        set => _preferred = value;
    }
}

/// <summary>Mime types that results have.</summary>
internal static class Mime
{
    public const string Plotly = "application/vnd.plotly.v1+json";
    public const string Html = "text/html";
    public const string Png = "image/png";
    public const string Text = "text/plain";
}
