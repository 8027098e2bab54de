using System.IO.Compression;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>plotly.js, taken from the Plotly.NET assembly so that pages work without a network.</summary>
public static class PlotlyScript
{
    private static readonly Lazy<string> Script = new(() => Read(name => name.EndsWith(".min.js", StringComparison.Ordinal)));
    private static readonly Lazy<string> Packed = new(Pack);
    private static readonly Lazy<string> Licences = new(() => Read(name => name.EndsWith(".LICENSE.txt", StringComparison.Ordinal)));

    /// <summary>The minified library (about 3.6 MB); safe inside a <c>script</c> element.</summary>
    /// <exception cref="InvalidOperationException">The Plotly.NET assembly contains no plotly.js.</exception>
    public static string Text => Script.Value;

    /// <summary>Copyright notices of plotly.js and the libraries that it bundles.</summary>
    /// <exception cref="InvalidOperationException">The Plotly.NET assembly contains no licence text.</exception>
    public static string License => Licences.Value;

    /// <summary>
    /// HTML that a page with charts (<see cref="ChartBundle.HtmlFragment"/>) needs once, anywhere: the library, compressed to 1.4 MB; unpacked when the first
    /// chart comes near the window.
    /// </summary>
    /// <exception cref="InvalidOperationException">The Plotly.NET assembly contains no plotly.js.</exception>
    public static string LoaderHtml =>
        $"<script type=\"text/plain\">{License}</script><script>({Assets.Text("plotly-loader.js")})(\"{Packed.Value}\");</script>";

    private static string Pack()
    {
        using MemoryStream memory = new();
        using (GZipStream zip = new(memory, CompressionLevel.SmallestSize))
            zip.Write(Encoding.UTF8.GetBytes(Text));
        return Convert.ToBase64String(memory.ToArray());
    }

    private static string Read(Func<string, bool> isWanted)
    {
        System.Reflection.Assembly assembly = typeof(Plotly.NET.Layout).Assembly;
        string name =
            assembly.GetManifestResourceNames().FirstOrDefault(isWanted)
            ?? throw new InvalidOperationException(
                $"{assembly.GetName().Name} {assembly.GetName().Version} contains no plotly.js resource; use the package version that "
                    + "Directory.Packages.props specifies."
            );
        using Stream stream = assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream, Encoding.UTF8);

        // A closing tag inside a string of the library would end the script element early.
        return reader.ReadToEnd().Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase);
    }
}
