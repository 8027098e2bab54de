using System.Runtime.Loader;

namespace NullTextResearch.Figures.Tests;

public sealed class PlotlyIslandTests
{
    private static readonly Axis X = new("x") { Ticks = [1, 2, 4] },
        Y =
            new("PSNR", "dB")
            {
                Scale = AxisScale.Log,
                Minimum = 1,
                Maximum = 100,
            };

    public static TheoryData<string> Kinds { get; } = ["lines", "bars", "points", "heat"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void JsonOnIsland_AnyChart_IsWhatItIsWithout(string kind)
    {
        Chart chart = kind switch
        {
            "lines" => new LineChart
            {
                Title = "a < b",
                XAxis = X,
                YAxis = Y,
                Series =
                [
                    new LineSeries("gap", [1, 2, 4], [2, double.NaN, 8])
                    {
                        Lower = [1, 2, double.PositiveInfinity],
                        Upper = [3, 4, 9],
                        Spread = SpreadStyle.ErrorBars,
                        Dashed = true,
                    },
                    new LineSeries("b", [1], [2]) { Markers = false, Color = "#123456" },
                ],
                HorizontalLines = [new ReferenceLine("bound", 5)],
            },
            "bars" => new BarChart
            {
                Title = "bars",
                XAxis = X,
                YAxis = Y,
                Categories = ["a", "b"],
                Series = [new BarSeries("one", [1, 2]) { Lower = [0, 1], Upper = [2, 3] }],
            },
            "points" => new ScatterChart
            {
                Title = "points",
                XAxis = X,
                YAxis = Y,
                Series = [new ScatterSeries("one", [1, 2], [3, 4]) { Labels = ["p", "q"], Connected = true }],
                Height = 333,
            },
            _ => new HeatmapChart
            {
                Title = "heat",
                XAxis = X,
                YAxis = Y,
                Rows = ["r"],
                Columns = ["c", "d"],
                Values = [1, double.NaN],
                ColorAxis = new Axis("v"),
                Diverging = true,
                Decimals = 1,
            },
        };

        Assert.Equal(PlotlyFigure.Json(chart), PlotlyIsland.JsonOnIsland(chart));
        // It was another Plotly.NET that drew it.
        Assert.Equal(2, AssemblyLoadContext.All.SelectMany(c => c.Assemblies).Count(a => a.GetName().Name == "Plotly.NET"));
    }
}
