using Microsoft.FSharp.Collections;
using Plotly.NET;
using Node = DynamicObj.DynamicObj;

namespace NullTextResearch.Figures;

/// <summary>Collects traces and layout of one chart and lets Plotly.NET serialise them; the only file that uses Plotly.NET's types.</summary>
internal sealed class PlotlyFigure
{
    private readonly List<Trace> _traces = [];
    private readonly Layout _layout = new();
    private readonly List<Node> _shapes = [];

    private PlotlyFigure() { }

    internal static string Json(Chart chart)
    {
        PlotlyFigure figure = new();
        figure.Frame(chart);
        chart.Draw(figure);
        if (figure._shapes.Count > 0)
        {
            figure.Set("shapes", figure._shapes.ToArray());
        }

        GenericChart plot = GenericChart.fromFigure(Figure.create(ListModule.OfSeq(figure._traces), figure._layout));
        return GenericChart.toFigureJson(plot);
    }

    internal void Set(string name, object value) => _layout.SetProperty(name, value);

    internal void AddLine(LineSeries series, int index)
    {
        string color = series.Color ?? Theme.Color(index);
        Trace trace = NewTrace("scatter", series.Name);
        trace.SetProperty("mode", series.Markers ? "lines+markers" : "lines");
        trace.SetProperty("x", Numbers(series.X));
        trace.SetProperty("y", Numbers(series.Y));
        trace.SetProperty("legendgroup", Html.PlotlyText(series.Name));
        trace.SetProperty("line", Object(("color", color), ("width", series.Emphasis ? 3.5 : 2), ("dash", series.Dashed ? "dash" : "solid")));
        trace.SetProperty(
            "marker",
            Object(("color", color), ("size", series.Emphasis ? 9 : 7), ("symbol", Theme.Symbol(index)), ("line", Object(("color", Theme.Paper), ("width", 1))))
        );
        string hover = "%{y:.4~g}";
        if (series is { Lower: { } lower, Upper: { } upper })
        {
            if (series.Spread == SpreadStyle.ErrorBars)
            {
                trace.SetProperty("error_y", Whiskers(series.Y, lower, upper, color));
            }
            else
            {
                trace.SetProperty("customdata", lower.Zip(upper, (l, u) => (double?[])[Finite(l), Finite(u)]).ToArray());
                hover = "%{y:.4~g} (%{customdata[0]:.4~g} to %{customdata[1]:.4~g})";
            }
        }

        trace.SetProperty("hovertemplate", hover);
        _traces.Add(trace);
    }

    internal void AddDots(LineSeries series, int index)
    {
        if (series.Dots is not { } groups)
            return;
        (double X, double Y)[] dots = [.. groups.SelectMany((group, i) => group.Select(y => (series.X[i], y)))];
        Trace trace = NewTrace("scatter", series.Name);
        trace.SetProperty("mode", "markers");
        trace.SetProperty("x", Numbers([.. dots.Select(d => d.X)]));
        trace.SetProperty("y", Numbers([.. dots.Select(d => d.Y)]));
        trace.SetProperty("marker", Object(("color", Theme.WithOpacity(series.Color ?? Theme.Color(index), 0.55)), ("size", 6)));
        trace.SetProperty("hoverinfo", "skip");
        trace.SetProperty("showlegend", false);
        trace.SetProperty("legendgroup", Html.PlotlyText(series.Name));
        _traces.Add(trace);
    }

    internal void AddBand(LineSeries series, int index)
    {
        int[] drawn =
        [
            .. Enumerable
                .Range(0, series.X.Count)
                .Where(i => double.IsFinite(series.X[i]) && double.IsFinite(series.Lower![i]) && double.IsFinite(series.Upper![i])),
        ];
        Trace trace = NewTrace("scatter", series.Name);

        // Out along the upper bound, back along the lower one.
        trace.SetProperty("x", Numbers([.. drawn.Select(i => series.X[i]), .. drawn.Reverse().Select(i => series.X[i])]));
        trace.SetProperty("y", Numbers([.. drawn.Select(i => series.Upper![i]), .. drawn.Reverse().Select(i => series.Lower![i])]));
        trace.SetProperty("mode", "lines");
        trace.SetProperty("fill", "toself");
        trace.SetProperty("fillcolor", Theme.WithOpacity(series.Color ?? Theme.Color(index), 0.15));
        trace.SetProperty("line", Object(("width", 0), ("color", series.Color ?? Theme.Color(index))));
        trace.SetProperty("hoverinfo", "skip");
        trace.SetProperty("showlegend", false);
        trace.SetProperty("legendgroup", Html.PlotlyText(series.Name));
        _traces.Add(trace);
    }

    internal void AddPoints(ScatterSeries series, int index)
    {
        string color = series.Color ?? Theme.Color(index);
        Trace trace = NewTrace("scatter", series.Name);
        trace.SetProperty("mode", (series.Connected ? "lines+markers" : "markers") + (series.Labels is null || series.HoverLabels ? "" : "+text"));
        trace.SetProperty("x", Numbers(series.X));
        trace.SetProperty("y", Numbers(series.Y));
        trace.SetProperty(
            "marker",
            Object(("color", color), ("size", 10), ("symbol", Theme.Symbol(index)), ("opacity", 0.9), ("line", Object(("color", Theme.Paper), ("width", 1))))
        );
        trace.SetProperty("line", Object(("color", color), ("width", 1.5)));
        trace.SetProperty("cliponaxis", false);
        if (series.Labels is { } labels)
        {
            trace.SetProperty("text", labels.Select(Html.PlotlyText).ToArray());

            // Series alternate between labels above and below their points, so that labels of two groups collide less.
            trace.SetProperty("textposition", index % 2 == 0 ? "top center" : "bottom center");
            trace.SetProperty("textfont", Object(("color", color), ("size", 12)));
            if (series.HoverLabels)
            {
                trace.SetProperty("hovertemplate", "%{text}<br>%{x:.4~g}, %{y:.4~g}<extra></extra>");
            }
        }

        _traces.Add(trace);
    }

    internal void AddBars(IReadOnlyList<string> categories, BarSeries series, int index, bool showLegend)
    {
        string color = series.Color ?? Theme.Color(index);
        Trace trace = NewTrace("bar", series.Name);
        trace.SetProperty("x", categories.Select(c => categories.Count > 5 ? Folded(c) : Html.PlotlyText(c)).ToArray());
        trace.SetProperty("y", Numbers(series.Values));
        trace.SetProperty("marker", Object(("color", color)));
        trace.SetProperty("showlegend", showLegend);
        trace.SetProperty("hovertemplate", "%{x}: %{y:.4~g}");
        if (series is { Lower: { } lower, Upper: { } upper })
        {
            trace.SetProperty("error_y", Whiskers(series.Values, lower, upper, Theme.Ink));
        }

        _traces.Add(trace);
        Axis("xaxis").SetProperty("showgrid", false);
        Axis("xaxis").SetProperty("type", "category");
    }

    internal void AddHeatmap(HeatmapChart chart)
    {
        int columns = chart.Columns.Count;
        Trace trace = NewTrace("heatmap", chart.ColorAxis.Label);
        trace.SetProperty("x", chart.Columns.Select(Html.PlotlyText).ToArray());
        trace.SetProperty("y", chart.Rows.Select(Html.PlotlyText).ToArray());
        trace.SetProperty(
            "z",
            Enumerable
                .Range(0, chart.Rows.Count)
                .Select(row => Numbers([.. Enumerable.Range(0, columns).Select(column => chart.Values[(row * columns) + column])]))
                .ToArray()
        );
        trace.SetProperty("colorscale", chart.Diverging ? "RdBu" : "Viridis");
        if (chart.Diverging)
        {
            trace.SetProperty("zmid", 0);
        }

        if (chart.ColorAxis.Minimum is { } low)
        {
            trace.SetProperty("zmin", low);
        }

        if (chart.ColorAxis.Maximum is { } high)
        {
            trace.SetProperty("zmax", high);
        }

        trace.SetProperty("xgap", 2);
        trace.SetProperty("ygap", 2);
        trace.SetProperty("hovertemplate", "%{y}, %{x}: %{z:.4~g}<extra></extra>");
        trace.SetProperty(
            "colorbar",
            Object(
                ("thickness", 12),
                ("outlinewidth", 0),
                ("title", Object(("text", Html.PlotlyText(chart.ColorAxis.Label)), ("side", "right"), ("font", Object(("size", 13), ("color", Theme.Muted)))))
            )
        );
        if (chart.ShowValues)
        {
            trace.SetProperty("texttemplate", $"%{{z:.{chart.Decimals.ToString(Csv.Culture)}f}}");
        }

        _traces.Add(trace);
        Axis("yaxis").SetProperty("autorange", "reversed");
        foreach (string name in (string[])["xaxis", "yaxis"])
        {
            Axis(name).SetProperty("type", "category");
            Axis(name).SetProperty("showgrid", false);
            Axis(name).SetProperty("ticks", "");
        }
    }

    /// <summary>Lines from edge to edge; they appear in the legend and extend the range of the axis.</summary>
    internal void AddHorizontalLines(IReadOnlyList<ReferenceLine> lines)
    {
        for (int i = 0; i < lines.Count; i++)
        {
            if (!double.IsFinite(lines[i].Value))
            {
                continue;
            }

            string value = lines[i].Value.ToString("G4", Csv.Culture);
            _shapes.Add(
                Object(
                    ("type", "line"),
                    ("xref", "paper"),
                    ("x0", 0),
                    ("x1", 1),
                    ("yref", "y"),
                    ("y0", lines[i].Value),
                    ("y1", lines[i].Value),
                    ("layer", "below"),
                    ("showlegend", true),
                    ("name", Html.PlotlyText($"{lines[i].Name} ({value})")),
                    ("line", Object(("color", lines[i].Color ?? Theme.NeutralColor(i)), ("width", 2), ("dash", Theme.NeutralDash(i))))
                )
            );
        }
    }

    private void Frame(Chart chart)
    {
        Set(
            "title",
            Object(
                ("text", Html.PlotlyText(chart.Title)),
                ("x", 0),
                ("xref", "container"),
                ("xanchor", "left"),
                ("pad", Object(("l", 16), ("t", 14))),
                ("yref", "container"),
                ("y", 1),
                ("yanchor", "top"),
                ("font", Object(("size", 16), ("color", Theme.Ink)))
            )
        );
        Set("font", Object(("family", Theme.FontFamily), ("size", 13), ("color", Theme.Ink)));
        Set("height", chart.Height);
        Set("autosize", true);
        Set("paper_bgcolor", Theme.Paper);
        Set("plot_bgcolor", Theme.Paper);
        Set("margin", Object(("l", 56), ("r", 16), ("t", 48), ("b", 48)));
        Set("showlegend", chart is not HeatmapChart);

        // The legend is anchored to the bottom of the picture and pushes the plot up, however many lines it has.
        Set(
            "legend",
            Object(
                ("orientation", "h"),
                ("x", 0),
                ("xanchor", "left"),
                ("yref", "container"),
                ("y", 0),
                ("yanchor", "bottom"),
                ("font", Object(("size", 13))),
                ("tracegroupgap", 4)
            )
        );
        Set("hoverlabel", Object(("font", Object(("family", Theme.FontFamily), ("size", 12)))));
        Set("xaxis", AxisNode(chart.XAxis));
        Set("yaxis", AxisNode(chart.YAxis));
    }

    private Node Axis(string name) => (Node)_layout.GetPropertyValue(name);

    private static Node AxisNode(Axis axis)
    {
        Node node = Object(
            ("title", Object(("text", Html.PlotlyText(axis.Label)), ("standoff", 10), ("font", Object(("size", 13), ("color", Theme.Muted))))),
            ("type", axis.Scale == AxisScale.Log ? "log" : null),
            // Within one power of ten plotly.js would label every step, and the labels would overlap.
            ("nticks", axis.Scale == AxisScale.Log ? 6 : null),
            ("automargin", true),
            ("showline", true),
            ("linecolor", Theme.AxisLine),
            ("gridcolor", Theme.Grid),
            ("zeroline", false),
            ("ticks", "outside"),
            ("tickcolor", Theme.AxisLine),
            ("ticklen", 5)
        );
        if (axis.Ticks is { } ticks)
        {
            node.SetProperty("tickmode", "array");
            node.SetProperty("tickvals", Numbers(ticks));
            node.SetProperty("ticktext", ticks.Select(tick => tick.ToString("G6", Csv.Culture)).ToArray());
        }

        // plotly.js takes the range of a logarithmic axis in powers of ten; null fits that end to the data.
        if (axis.Minimum is not null || axis.Maximum is not null)
        {
            node.SetProperty("range", (double?[])[End(axis.Minimum), End(axis.Maximum)]);
        }

        return node;

        double? End(double? value) => value is { } end && axis.Scale == AxisScale.Log ? Math.Log10(end) : value;
    }

    private static Trace NewTrace(string type, string name)
    {
        Trace trace = new(type);
        trace.SetProperty("name", Html.PlotlyText(name));
        return trace;
    }

    private static Node Whiskers(IReadOnlyList<double> middle, IReadOnlyList<double> lower, IReadOnlyList<double> upper, string color) =>
        Object(
            ("type", "data"),
            ("symmetric", false),
            ("array", Numbers([.. upper.Zip(middle, (u, m) => u - m)])),
            ("arrayminus", Numbers([.. middle.Zip(lower, (m, l) => m - l)])),
            ("color", color),
            ("thickness", 1.4),
            ("width", 4)
        );

    /// <summary>Breaks long names into short lines, at spaces and after hyphens: many categories leave little room for each.</summary>
    private static string Folded(string name)
    {
        List<string> lines = [];
        foreach (string word in name.Replace("-", "- ", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string joint = lines.Count > 0 && lines[^1].EndsWith('-') ? "" : " ";
            if (lines.Count > 0 && lines[^1].Length + joint.Length + word.Length <= 11)
                lines[^1] += joint + word;
            else
                lines.Add(word);
        }

        return string.Join("<br>", lines.Select(Html.PlotlyText));
    }

    /// <summary>Doubles for JSON, which has no NaN: non-finite values become gaps.</summary>
    private static double?[] Numbers(IReadOnlyList<double> values) => [.. values.Select(Finite)];

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static Node Object(params ReadOnlySpan<(string Name, object? Value)> members)
    {
        Node node = new();
        foreach ((string name, object? value) in members)
        {
            if (value is not null)
            {
                node.SetProperty(name, value);
            }
        }

        return node;
    }
}
