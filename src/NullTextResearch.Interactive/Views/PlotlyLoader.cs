using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Loads plotly.js for all charts of a notebook without a network: compressed into one output, 1.4 MB in the file.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
internal sealed class PlotlyLoader : IRendered
{
    /// <summary>Replaces a loader that moved to another cell.</summary>
    public static PlotlyLoader Moved { get; } = new(loads: false);

    /// <summary>The loader.</summary>
    public static PlotlyLoader Here { get; } = new(loads: true);

    private readonly bool _loads;

    private PlotlyLoader(bool loads) => _loads = loads;

    public Rendition Render() =>
        _loads
            ? new Rendition("plotly.js is loaded: charts are interactive, without a network.") { Html = _ => PlotlyScript.LoaderHtml }
            : new Rendition("(plotly.js is loaded in a later cell)") { Html = _ => "<!-- plotly.js is loaded in a later cell -->" };
}
