using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Figures.Paper;
using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>Creates results from pictures, charts and tables. End a cell with one, or call <see cref="Visual.Show"/>.</summary>
public static class View
{
    /// <summary>Pictures side by side.</summary>
    /// <param name="images">Name and picture of each; at least one.</param>
    /// <exception cref="ArgumentException">There is no picture.</exception>
    public static ImageView Images(params IReadOnlyList<(string Name, RgbImage Image)> images) => new([.. images.Select(Named)], null);

    /// <summary>One picture.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="name">Its name.</param>
    public static ImageView Image(RgbImage image, string name = "image") => new([new NamedImage(name, image)], null);

    /// <summary>Two or more pictures of the same size behind a draggable divider.</summary>
    /// <param name="images">Name and picture of each; at least two, all of the same size.</param>
    /// <exception cref="ArgumentException">There are fewer than two pictures, or their sizes differ.</exception>
    public static CompareView Compare(params IReadOnlyList<(string Name, RgbImage Image)> images) => new([.. images.Select(Named)], null);

    /// <summary>A grid with labels, as one picture.</summary>
    /// <param name="grid">Rows of cells.</param>
    public static GridView Grid(ImageGrid grid) => new(grid);

    /// <summary>A sequence of pictures, as one picture.</summary>
    /// <param name="images">The pictures, at least one.</param>
    /// <param name="labels">Text below each picture, or null.</param>
    /// <param name="perRow">Pictures per row; 0 puts all into one row.</param>
    /// <param name="title">Title, or null.</param>
    /// <exception cref="ArgumentException">There is no picture, or the counts differ.</exception>
    public static GridView FilmStrip(IReadOnlyList<RgbImage> images, IReadOnlyList<string>? labels = null, int perRow = 0, string? title = null) =>
        new(ImageGrid.FilmStrip(images, labels, perRow) with { Title = title });

    /// <summary>A chart.</summary>
    /// <param name="chart">A line, bar, scatter or heat-map chart.</param>
    public static ChartView Chart(Chart chart) => new(chart);

    /// <summary>
    /// A line chart in one call. For more control, change <see cref="ChartView.Chart"/> using <c>with</c>, or pass your own chart to
    /// <see cref="Chart(Figures.Chart)"/>.
    /// </summary>
    /// <param name="title">Title.</param>
    /// <param name="x">Label of the horizontal axis, with its unit: <c>step</c>, <c>PSNR [dB]</c>.</param>
    /// <param name="y">Label of the vertical axis.</param>
    /// <param name="curves">Name, positions and values of each curve; at least one.</param>
    public static ChartView Lines(
        string title,
        string x,
        string y,
        params IReadOnlyList<(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y)> curves
    ) =>
        new(
            new LineChart
            {
                Title = title,
                XAxis = AxisOf(x),
                YAxis = AxisOf(y),
                Series = [.. curves.Select(c => new LineSeries(c.Name, c.X, c.Y))],
            }
        );

    /// <summary>A table.</summary>
    /// <param name="title">Caption.</param>
    /// <param name="columns">Column names, with units.</param>
    /// <param name="rows">Cells, as many per row as columns.</param>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public static TableView Table(string title, IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string>> rows) =>
        Table(new TableData(title, columns, rows));

    /// <summary>A table.</summary>
    /// <param name="table">The table.</param>
    /// <exception cref="ArgumentException">A row has more or fewer cells than there are columns.</exception>
    public static TableView Table(TableData table)
    {
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            if (row.Count != table.Columns.Count)
                throw new ArgumentException($"Table '{table.Title}': a row has {row.Count} cells, but there are {table.Columns.Count} columns.", nameof(table));
        }

        return new TableView(table);
    }

    /// <summary>Pictures selected by a slider; works in a saved notebook.</summary>
    /// <param name="axis">The slider.</param>
    /// <param name="frames">Caption and picture for every position.</param>
    /// <exception cref="ArgumentException">Positions and pictures do not match.</exception>
    public static SliderView Slider(SliderAxis axis, IReadOnlyList<(string Name, RgbImage Image)> frames) => new([axis], [.. frames.Select(Named)], [], null);

    /// <summary>Pictures selected by two sliders; works in a saved notebook.</summary>
    /// <param name="first">The slider that varies slowest in <paramref name="frames"/>.</param>
    /// <param name="second">The other one.</param>
    /// <param name="frames">Caption and picture for every pair of positions.</param>
    /// <exception cref="ArgumentException">Positions and pictures do not match.</exception>
    public static SliderView Slider(SliderAxis first, SliderAxis second, IReadOnlyList<(string Name, RgbImage Image)> frames) =>
        new([first, second], [.. frames.Select(Named)], [], null);

    /// <summary>A figure of the paper: what the paper found and what this run found, verdicts, charts, pictures and tables.</summary>
    /// <param name="figure">The figure.</param>
    public static StackView Figure(FigureContent figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        return new StackView([
            Table(
                "",
                ["", ""],
                [
                    ["shown", figure.Caption],
                    ["the paper", figure.Paper],
                    ["this run", figure.Found],
                ]
            ),
            .. figure.Claims.Count == 0
                ? (Visual[])[]
                :
                [
                    Table(
                        "Claims",
                        ["claim", "the paper", "this run", "n", "verdict"],
                        [
                            .. figure.Claims.Select(c =>
                                (IReadOnlyList<string>)[c.Sentence, c.Paper, c.Run, c.Images.ToString(CultureInfo.InvariantCulture), c.VerdictText]
                            ),
                        ]
                    ),
                ],
            .. figure.Charts.Select(c => Chart(c.Chart)),
            .. figure.Grids.Select(g => Grid(g.Grid)),
            .. figure.Tables.Select(t => Table(t.Table)),
        ]);
    }

    /// <summary>Several results below each other, as one output.</summary>
    /// <param name="parts">At least one.</param>
    /// <exception cref="ArgumentException">There is no part.</exception>
    public static StackView Stack(params IReadOnlyList<Visual> parts) => new(parts);

    private static NamedImage Named((string Name, RgbImage Image) image) => new(image.Name, image.Image);

    internal static Axis AxisOf(string label)
    {
        int bracket = label.LastIndexOf('[');
        return bracket > 0 && label.EndsWith(']') ? new Axis(label[..bracket].TrimEnd(), label[(bracket + 1)..^1]) : new Axis(label);
    }
}
