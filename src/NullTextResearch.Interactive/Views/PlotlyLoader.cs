using System.IO.Compression;
using System.Text;
using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Loads plotly.js for all charts of a notebook without a network: compressed into one output, 1.4 MB in the file.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
internal sealed class PlotlyLoader : IRendered
{
    private static readonly Lazy<string> Packed = new(Pack);

    /// <summary>Replaces a loader that moved to another cell.</summary>
    public static PlotlyLoader Moved { get; } = new(loads: false);

    /// <summary>The loader.</summary>
    public static PlotlyLoader Here { get; } = new(loads: true);

    private readonly bool _loads;

    private PlotlyLoader(bool loads) => _loads = loads;

    public Rendition Render() =>
        _loads
            ? new Rendition("plotly.js is loaded: charts are interactive, without a network.")
            {
                Html = _ =>
                    $"<script type=\"text/plain\">{PlotlyScript.License}</script><script>({Markup.Asset("plotly-loader.js")})(\"{Packed.Value}\");</script>",
            }
            : new Rendition("(plotly.js is loaded in a later cell)") { Html = _ => "<!-- plotly.js is loaded in a later cell -->" };

    private static string Pack()
    {
        using MemoryStream memory = new();
        using (GZipStream zip = new(memory, CompressionLevel.SmallestSize))
            zip.Write(Encoding.UTF8.GetBytes(PlotlyScript.Text));
        return Convert.ToBase64String(memory.ToArray());
    }
}
