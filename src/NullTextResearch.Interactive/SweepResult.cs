using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Pictures for every value of one or two settings, with sliders that work in a saved notebook.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class SweepResult : Visual
{
    private readonly IReadOnlyList<string> _names;

    internal SweepResult(IReadOnlyList<string> names, SliderView view, IReadOnlyList<SweepPoint> points)
    {
        _names = names;
        View = view;
        Points = points;
    }

    /// <summary>The sliders.</summary>
    public SliderView View { get; }

    /// <summary>The pictures with their measures; the last axis varies fastest.</summary>
    public IReadOnlyList<SweepPoint> Points { get; }

    /// <summary>All pictures as one grid.</summary>
    public GridView Grid() => View.Grid();

    /// <summary>Chart of the PSNR against the source over the last setting; with two settings, one curve per value of the first.</summary>
    public ChartView PsnrChart() => Chart("Likeness to the source", new Axis("PSNR", "dB"), p => p.Psnr);

    /// <summary>Chart of the distance to the source over the last setting; with two settings, one curve per value of the first.</summary>
    public ChartView DistanceChart() => Chart("Change of the image", new Axis("distance to the source"), p => p.Distance);

    private protected override Rendition Draw() => ((IRendered)View).Render();

    private ChartView Chart(string title, Axis y, Func<SweepPoint, double> of) =>
        new(
            new LineChart
            {
                Title = title,
                XAxis = new Axis(_names[^1]),
                YAxis = y,
                Height = 340,
                Series =
                [
                    .. Points
                        .GroupBy(p => _names.Count == 2 ? View.Axes[0].Labels[Index(p)] : "")
                        .Select(curve => new LineSeries(
                            _names.Count == 2 ? string.Create(CultureInfo.InvariantCulture, $"{_names[0]}: {curve.Key}") : "pictures",
                            [.. curve.Select(p => p.Values[^1])],
                            [.. curve.Select(of)]
                        )
                        {
                            Emphasis = _names.Count == 1,
                        }),
                ],
            }
        );

    private int Index(SweepPoint point) => Points.ToList().IndexOf(point) / View.Axes[^1].Labels.Count;
}
