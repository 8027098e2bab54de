using System.Reflection;
using System.Text;

namespace NullTextResearch.Figures;

/// <summary>Files compiled into this assembly.</summary>
internal static class Assets
{
    private static readonly Lazy<string> Chart = new(() => Text("chart.js"));
    private static readonly Lazy<byte[]> InterFont = new(() => Bytes("Inter-Regular.otf"));

    /// <summary>A JavaScript function expression that draws the chart whose element id it is given.</summary>
    internal static string ChartScript => Chart.Value;

    /// <summary>The font of all labels, OpenType.</summary>
    internal static byte[] Font => InterFont.Value;

    internal static string Text(string name) => Encoding.UTF8.GetString(Bytes(name)).TrimEnd();

    private static byte[] Bytes(string name)
    {
        using Stream stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException(
                $"This build of NullTextResearch.Figures lacks its resource '{name}'; build it again from a complete checkout."
            );
        using MemoryStream memory = new();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
