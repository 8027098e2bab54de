using NullTextResearch.Hosting;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// Tells a notebook kernel how to display a type. By the convention of .NET Interactive, kernels look for an attribute of this
/// name wherever it is declared, so none of their packages is needed.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    private string[] _preferred = [Mime.Html, Mime.Text];

    /// <summary>Type that creates the formatters; it has a public parameterless constructor and <c>CreateTypeFormatters()</c>.</summary>
    public Type FormatterSourceType { get; } = formatterSourceType;

    /// <summary>The mime types that are emitted, in order.</summary>
    public string[] PreferredMimeTypes
    {
        // .NET Interactive sends every mime type except application/json as a string, and no front end draws a chart from that.
        // If a formatter declines, it sends an empty string, so representations that cannot be created are not offered.
        get =>
            Notebook.Host is { DeliversJson: true }
                ? _preferred
                : [.. _preferred.Where(m => m != Mime.Plotly && !(m == Mime.Png && _preferred.Contains(Mime.Plotly) && !StaticCharts.Available))];
        set => _preferred = value;
    }
}

/// <summary>Mime types of results.</summary>
internal static class Mime
{
    public const string Plotly = "application/vnd.plotly.v1+json";
    public const string Html = "text/html";
    public const string Png = "image/png";
    public const string Text = "text/plain";
}
