using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>A chart: interactive with plotly.js, which <see cref="Workbench.Open"/> puts into the notebook once; otherwise a picture.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Plotly, Mime.Html, Mime.Png, Mime.Text])]
public sealed class ChartView : Visual
{
    private readonly Lazy<ChartBundle> _bundle;
    private readonly Lazy<byte[]?> _png;

    internal ChartView(Chart chart)
    {
        Chart = chart;
        _bundle = new Lazy<ChartBundle>(chart.Build);
        _png = new Lazy<byte[]?>(() => StaticCharts.Draw(_bundle.Value));
    }

    /// <summary>Data and labels; change them using <c>with</c> and show the chart again.</summary>
    public Chart Chart { get; }

    /// <summary>Plotly JSON, HTML and CSV.</summary>
    public ChartBundle Bundle => _bundle.Value;

    private protected override Rendition Draw() =>
        new(Summary())
        {
            PlotlyJson = () => Bundle.PlotlyJson,
            Png = () => _png.Value,
            Html = id =>
            {
                string standIn = _png.Value is { } png
                    ? $"<img alt=\"{Markup.Text(Chart.Title)}\" style=\"width:100%;max-width:900px;height:auto\" "
                        + $"src=\"data:image/png;base64,{Convert.ToBase64String(png)}\">"
                    : $"<pre>{Markup.Text(Summary())}</pre>";
                // A white background even on a dark page, because the chart's text is dark.
                return $"<div style=\"background:#fff;max-width:900px;padding:8px 12px;border-radius:4px\">{Bundle.HtmlFragment(id, standIn)}</div>";
            },
        };

    private string Summary()
    {
        string what = string.Create(CultureInfo.InvariantCulture, $"{Chart.Title}: {Chart.YAxis.Label} over {Chart.XAxis.Label}");
        string[] rows = Bundle.CsvText.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string table = string.Join('\n', rows.Take(21).Select(r => r.TrimEnd('\r', ',')));
        return rows.Length > 21 ? string.Create(CultureInfo.InvariantCulture, $"{what}\n{table}\n... {rows.Length - 21} more rows") : $"{what}\n{table}";
    }
}

/// <summary>Renders charts as PNG with a browser, if one is installed.</summary>
internal static class StaticCharts
{
    private static readonly Lazy<ChromiumRenderer?> Browser = new(ChromiumRenderer.TryFind);

    /// <summary>Whether charts should get a picture in addition to their script.</summary>
    public static bool Wanted { get; set; } = true;

    /// <summary>Whether pictures are wanted and a browser is installed.</summary>
    public static bool Available => Wanted && Browser.Value is not null;

    /// <summary>The chart as PNG, or null if no browser renders it.</summary>
    public static byte[]? Draw(ChartBundle chart)
    {
        if (!Wanted || Browser.Value is not { } browser)
            return null;
        string path = Path.Combine(Path.GetTempPath(), $"nulltext-chart-{Guid.NewGuid():N}.png");
        try
        {
            return browser.RenderCharts([(chart, path)], width: 760) is [{ Rendered: true }] ? PalettePng.Encode(ImageFile.Load(path)) : null;
        }
        finally
        {
            File.Delete(path);
        }
    }
}
