using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace NullTextResearch.Figures.Tests;

public sealed class ChartTests
{
    private static LineChart Minimal(params LineSeries[] series) =>
        new()
        {
            Title = "t",
            XAxis = new Axis("x"),
            YAxis = new Axis("y", "dB"),
            Series = series,
        };

    [Fact]
    public void Build_LineChart_HasEverySeriesPointBandAndLine()
    {
        LineChart chart = SampleReport.Lines;

        JsonElement figure = Parse(chart.Build());

        JsonElement[] traces = [.. figure.GetProperty("data").EnumerateArray()];
        Assert.Equal(chart.Series.Count + chart.Series.Count(series => series.Lower is not null), traces.Length);
        foreach (LineSeries series in chart.Series)
        {
            JsonElement curve = Assert.Single(traces, trace => Name(trace) == series.Name && trace.GetProperty("mode").GetString() == "lines+markers");
            Assert.Equal(series.X, Doubles(curve.GetProperty("x")));
            Assert.Equal(series.Y, Doubles(curve.GetProperty("y")));
            if (series is { Lower: { } lower, Upper: { } upper })
            {
                JsonElement band = Assert.Single(traces, trace => Name(trace) == series.Name && trace.TryGetProperty("fill", out _));
                Assert.Equal([.. upper, .. lower.Reverse()], Doubles(band.GetProperty("y")));
            }
        }

        JsonElement[] shapes = [.. figure.GetProperty("layout").GetProperty("shapes").EnumerateArray()];
        Assert.Equal(chart.HorizontalLines.Select(line => line.Value), shapes.Select(shape => shape.GetProperty("y0").GetDouble()));
        Assert.Equal(["VAE bound (31.9)", "DDIM inversion (17.3)"], shapes.Select(Name));
    }

    [Fact]
    public void Build_Axes_ShowQuantityUnitAndScale()
    {
        JsonElement layout = Parse(SampleReport.Lines.Build()).GetProperty("layout");

        Assert.Equal("PSNR [dB]", layout.GetProperty("yaxis").GetProperty("title").GetProperty("text").GetString());
        Assert.Equal("inner iterations per step", layout.GetProperty("xaxis").GetProperty("title").GetProperty("text").GetString());
        Assert.Equal("log", layout.GetProperty("xaxis").GetProperty("type").GetString());
    }

    [Fact]
    public void Build_LogAxisRange_IsInPowersOfTen()
    {
        LineChart chart = Minimal(new LineSeries("a", [1, 10], [1, 2])) with
        {
            XAxis = new Axis("x")
            {
                Scale = AxisScale.Log,
                Minimum = 0.1,
                Maximum = 1000,
            },
        };

        JsonElement range = Parse(chart.Build()).GetProperty("layout").GetProperty("xaxis").GetProperty("range");

        Assert.Equal([-1, 3], Doubles(range), (a, b) => Math.Abs(a - b) < 1e-12);
    }

    [Fact]
    public void Build_NonFiniteValues_BecomeGaps()
    {
        JsonElement figure = Parse(Minimal(new LineSeries("a", [1, 2, 3], [1, double.NaN, double.PositiveInfinity])).Build());

        JsonElement y = figure.GetProperty("data")[0].GetProperty("y");
        Assert.Equal([JsonValueKind.Number, JsonValueKind.Null, JsonValueKind.Null], y.EnumerateArray().Select(value => value.ValueKind));
    }

    [Fact]
    public void Build_ErrorBars_AreDistancesFromTheValue()
    {
        LineSeries series = new("a", [1, 2], [10, 20])
        {
            Lower = [9, 17],
            Upper = [12, 25],
            Spread = SpreadStyle.ErrorBars,
        };

        JsonElement bars = Assert.Single(Parse(Minimal(series).Build()).GetProperty("data").EnumerateArray()).GetProperty("error_y");

        Assert.Equal([2, 5], Doubles(bars.GetProperty("array")));
        Assert.Equal([1, 3], Doubles(bars.GetProperty("arrayminus")));
    }

    [Fact]
    public void Build_BarChart_HasEveryBar()
    {
        BarChart chart = SampleReport.Bars;

        JsonElement[] traces = [.. Parse(chart.Build()).GetProperty("data").EnumerateArray()];

        Assert.Equal(chart.Series.Select(series => series.Name), traces.Select(Name));
        Assert.All(traces.Zip(chart.Series), pair => Assert.Equal(pair.Second.Values, Doubles(pair.First.GetProperty("y"))));

        // plotly.js reads a small HTML dialect: a category named <x> must stay text.
        Assert.Equal("direct inversion &lt;x&gt;", traces[0].GetProperty("x")[4].GetString());
    }

    [Fact]
    public void Build_Heatmap_KeepsRowsAndColumns()
    {
        HeatmapChart chart = SampleReport.Heatmap;

        JsonElement z = Parse(chart.Build()).GetProperty("data")[0].GetProperty("z");

        Assert.Equal(chart.Rows.Count, z.GetArrayLength());
        Assert.Equal(chart.Values[(1 * chart.Columns.Count) + 2], z[1][2].GetDouble());
        Assert.Equal(JsonValueKind.Null, z[2][3].ValueKind);
    }

    [Fact]
    public void Build_Scatter_HasPointsAndLabels()
    {
        JsonElement trace = Parse(SampleReport.Scatter.Build()).GetProperty("data")[1];

        Assert.Equal([0.3, 0.6, 0.85], Doubles(trace.GetProperty("x")));
        Assert.Equal(["t=0.3", "t=0.5", "t=0.8"], trace.GetProperty("text").EnumerateArray().Select(text => text.GetString()));
    }

    [Fact]
    public void Build_EveryChart_ParsesUnderAForeignCulture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo.CurrentCulture = comma;
        try
        {
            Chart[] charts = [SampleReport.Lines, SampleReport.Bars, SampleReport.Heatmap, SampleReport.Scatter];
            string[] foreign = [.. charts.Select(chart => chart.Build().PlotlyJson + chart.Build().CsvText)];
            CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
            Assert.Equal(charts.Select(chart => chart.Build().PlotlyJson + chart.Build().CsvText), foreign);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void ToCsv_LineChart_HasOneRowPerPointAndLine()
    {
        LineChart chart = SampleReport.Lines;

        List<string[]> rows = CsvTests.Parse(chart.Build().ToCsv());

        Assert.Equal(["series", "inner iterations per step", "PSNR [dB]", "lower", "upper"], rows[0]);
        Assert.Equal(1 + chart.Series.Sum(series => series.X.Count) + chart.HorizontalLines.Count, rows.Count);
        Assert.Contains(rows, row => row is ["null-text (per timestep)", "3", "30.2", "29.3", "31.1"]);
        Assert.Contains(rows, row => row is ["VAE bound", "", "31.9", "", ""]);
    }

    [Fact]
    public void Build_WrongData_ReportsEveryProblemAtOnce()
    {
        LineChart chart = Minimal(new LineSeries("short", [1, 2, 3], [1, 2]), new LineSeries("short", [1], [1]) { Lower = [0] }) with
        {
            XAxis = new Axis("x") { Minimum = 3, Maximum = 1 },
        };

        string message = Assert.Throws<ArgumentException>(chart.Build).Message;

        Assert.Contains("'short' has 3 x and 2 y values", message);
        Assert.Contains("the name 'short' is used twice", message);
        Assert.Contains("only one of Lower and Upper", message);
        Assert.Contains("Minimum must be below Maximum", message);
    }

    [Fact]
    public void FromSamples_FewRepeats_AreDotsWithoutAnInterval()
    {
        LineSeries series = LineSeries.FromSamples(
            "a",
            [1, 2],
            [
                [1, 3],
                [5, 5],
            ]
        );

        Assert.Equal([2, 5], series.Y);
        Assert.Equal((null, null), (series.Lower, series.Upper));
        JsonElement data = Parse(Minimal(series).Build()).GetProperty("data");
        Assert.Equal([1, 3, 5, 5], data[0].GetProperty("y").EnumerateArray().Select(y => y.GetDouble()));
        Assert.Equal("markers", data[0].GetProperty("mode").GetString());
    }

    [Fact]
    public void FromSamples_EnoughRepeats_HaveTheIntervalOfTheMean_DownToTheFloor()
    {
        LineSeries series = LineSeries.FromSamples(
            "a",
            [1, 2],
            [
                [1, 2, 3, 4, 5],
                [0, 0, 0, 0, 1],
            ],
            floor: 0
        );

        // Student's t of 4 degrees of freedom, 2.776, times the standard error.
        Assert.Equal(3 + (2.776 * Math.Sqrt(2.5 / 5)), series.Upper![0], 3);
        Assert.Equal(3 - (2.776 * Math.Sqrt(2.5 / 5)), series.Lower![0], 3);
        Assert.Equal(0, series.Lower[1]);
        Assert.Null(series.Dots);
    }

    [Fact]
    public void Build_ManyCategories_HaveShortLines()
    {
        BarChart chart = new()
        {
            Title = "t",
            XAxis = new Axis("x"),
            YAxis = new Axis("y"),
            Categories = ["a", "b", "c", "d", "textual inversion with a pivot", "negative-prompt <x>"],
            Series = [new BarSeries("s", [1, 2, 3, 4, 5, 6])],
        };

        string[] names = [.. Parse(chart.Build()).GetProperty("data")[0].GetProperty("x").EnumerateArray().Select(x => x.GetString()!)];

        Assert.Equal(["a", "textual<br>inversion<br>with a<br>pivot", "negative-<br>prompt &lt;x&gt;"], [names[0], .. names[4..]]);
    }

    [Fact]
    public void HtmlFragment_WithStandIn_LeavesTheTitleToIt()
    {
        ChartBundle chart = Minimal(new LineSeries("a", [1], [1])).Build();

        Assert.Contains("nt-chart-title\" style", chart.HtmlFragment("plot-1"));
        Assert.DoesNotContain("nt-chart-title\" style", chart.HtmlFragment("plot-1", "<img>"));
    }

    [Fact]
    public void HtmlFragment_ClosingTagInAName_StaysInsideTheScript()
    {
        LineChart chart = Minimal(new LineSeries("</script><script>alert(1)</script>", [1], [1])) with { Title = "<img src=x onerror=alert(1)>" };

        string html = chart.Build().HtmlFragment("plot-1");

        Assert.DoesNotContain("<script>alert", html);
        Assert.DoesNotContain("<img", html);
        string json = Regex.Match(html, "<script type=\"application/json\" id=\"plot-1-data\">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value;
        Assert.Equal("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;", Name(JsonDocument.Parse(json).RootElement.GetProperty("data")[0]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("x\"onload=")]
    public void HtmlFragment_UnsafeId_IsRefused(string id) => Assert.Throws<ArgumentException>(() => SampleReport.Bars.Build().HtmlFragment(id));

    [Fact]
    public void PlotlyScript_Text_IsTheLibraryAndCannotCloseItsElement()
    {
        Assert.StartsWith("/**\n* plotly.js v2.28.0", PlotlyScript.Text);
        Assert.DoesNotContain("</script", PlotlyScript.Text, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(PlotlyScript.License);
    }

    private static JsonElement Parse(ChartBundle bundle) => JsonDocument.Parse(bundle.PlotlyJson).RootElement;

    private static string? Name(JsonElement element) => element.GetProperty("name").GetString();

    private static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];
}
