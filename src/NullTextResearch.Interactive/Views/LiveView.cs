using System.Globalization;
using System.Text.Json.Nodes;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>The sliders of an exploration: the picture at the start, and a script that asks the kernel for others.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
internal sealed class LiveView(string id, Exploration exploration, IReadOnlyList<SweepAxis> axes, IReadOnlyList<int> start, IReadOnlyList<NamedImage> beside)
    : IRendered
{
    public Rendition Render() =>
        new($"{exploration.Title}: {string.Join(" and ", axes.Select(a => $"{a.Name} from {Markup.Number(a.Values[0])} to {Markup.Number(a.Values[^1])}"))}")
        {
            // The id is that of the service, not of this rendering: the element opens its channel with it.
            Html = _ =>
                Markup.View(
                    id,
                    "live",
                    Pictures.Head(exploration.Title)
                        + Pictures.Table(
                            [.. beside, new NamedImage(exploration.Title, exploration.At(FramesView.Place(start))!.Image)],
                            Markup.Small,
                            i => i < beside.Count ? "" : " data-live-picture=\"1\""
                        ),
                    "live.js",
                    Say().ToJsonString()
                ),
        };

    public override string ToString() => Render().Text;

    private JsonObject Say() =>
        new()
        {
            ["id"] = id,
            ["live"] = exploration.IsLive,
            ["address"] = exploration.Address?.ToString(),
            ["axes"] = new JsonArray([
                .. axes.Select(
                    (a, i) =>
                        (JsonNode)
                            new JsonObject
                            {
                                ["name"] = a.Name,
                                ["labels"] = new JsonArray([.. a.Values.Select(v => (JsonNode)Markup.Number(v))]),
                                ["start"] = start[i],
                            }
                ),
            ]),
        };
}

/// <summary>
/// The results of an exploration, as a separate output that is updated as more are computed and stays in a saved notebook. Where scripts run, the
/// sliders hide and read it.
/// </summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
internal sealed class FramesView(string id, Exploration exploration) : IRendered
{
    private const int MostPictures = 60;

    /// <summary>A position of the sliders as the script writes it.</summary>
    public static string Place(IReadOnlyList<int> at) => string.Join(',', at.Select(i => i.ToString(CultureInfo.InvariantCulture)));

    /// <summary>The measures of a point, for the script: name, text with unit, value.</summary>
    public static JsonArray Measures(ExplorationPoint point) =>
        new([
            .. point.Measures.Select(m =>
                (JsonNode)
                    new JsonObject
                    {
                        ["name"] = m.Name,
                        ["text"] = m.ToString(),
                        ["value"] = double.IsFinite(m.Value) ? m.Value : null,
                    }
            ),
        ]);

    public Rendition Render() =>
        new(exploration.ToString())
        {
            Png = () => Pictures.Strip(exploration.Title, [.. Shown().Select(s => Named(s.Point))]),
            Html = _ =>
            {
                (string Place, ExplorationPoint Point)[] shown = Shown();
                string table = Pictures.Table(
                    [.. shown.Select(s => Named(s.Point))],
                    Markup.Small,
                    i => $" data-at=\"{shown[i].Place}\" data-measures=\"{Markup.Text(Measures(shown[i].Point).ToJsonString())}\""
                );
                // Hidden while the sliders are live; it has its own script because an update creates a new element.
                return "<div class=\"nt-view nt-frames\" "
                    + $"data-nt-frames=\"{id}\"><style>{Markup.Asset("view.css")}</style>{table}</div><script>"
                    + $"document.querySelectorAll('[data-nt-frames=\"{id}\"]').forEach(function (box) {{ if (document.querySelector('[data-nt=\"{id}"
                    + "\"][data-live]')) box.style.display = 'none'; });</script>";
            },
        };

    public override string ToString() => Render().Text;

    // Only the latest pictures, to keep the notebook file small.
    private (string Place, ExplorationPoint Point)[] Shown() => [.. exploration.Places().TakeLast(MostPictures)];

    private NamedImage Named(ExplorationPoint point) =>
        new(string.Join(", ", (string[])[.. point.Values.Select(Markup.Number), .. point.Measures.Select(m => m.ToString())]), point.Image);
}
