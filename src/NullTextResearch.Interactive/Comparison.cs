using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Images reconstructed by several methods: one picture per image and method, and a table of means. Owns its tensors.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class Comparison : Visual, IDisposable
{
    private const int MostColumns = 8;

    internal Comparison(IReadOnlyList<string> methods, IReadOnlyList<IReadOnlyList<InvertedImage>> results)
    {
        Methods = methods;
        Results = results;
    }

    /// <summary>Names of the methods.</summary>
    public IReadOnlyList<string> Methods { get; }

    /// <summary>Per image, the result of each method in the order of <see cref="Methods"/>.</summary>
    public IReadOnlyList<IReadOnlyList<InvertedImage>> Results { get; }

    /// <summary>The result of a method for an image.</summary>
    /// <param name="method">Name of the method.</param>
    /// <param name="image">Index of the image.</param>
    /// <exception cref="ArgumentException">There is no such method.</exception>
    public InvertedImage this[string method, int image = 0]
    {
        get
        {
            int index = Methods.ToList().FindIndex(m => string.Equals(m, method, StringComparison.OrdinalIgnoreCase));
            return index >= 0
                ? Results[image][index]
                : throw new ArgumentException($"There is no method '{method}'; compared methods: {string.Join(", ", Methods)}.", nameof(method));
        }
    }

    /// <summary>The pictures: one row per image, or several rows if there are too many methods for one.</summary>
    public GridView Grid()
    {
        string[] columns = ["image", "autoencoder", .. Methods];
        GridCell[][] rows =
        [
            .. Results.Select(row =>
                (GridCell[])
                    [
                        new GridCell(row[0].Image),
                        Cell(row[0].RoundTrip, row[0].RoundTripPsnr),
                        .. row.Select(r =>
                            Cell(r.Reconstruction, r.ReconstructionPsnr, row.Count > 1 && r.ReconstructionPsnr >= row.Max(x => x.ReconstructionPsnr))
                        ),
                    ]
            ),
        ];
        ImageGrid grid = new()
        {
            Title = Results.Count == 1 ? Results[0][0].Prompt : null,
            MinimumCellSize = 128,
            Rows = rows,
        };
        if (columns.Length <= MostColumns)
            return new GridView(grid with { ColumnLabels = columns, RowLabels = Results.Count > 1 ? [.. Results.Select(r => r[0].Prompt)] : null });
        // With several rows per image, each picture carries its own label.
        int perRow = Pictures.PerRow(columns.Length);
        return new GridView(
            grid with
            {
                Rows =
                [
                    .. rows.SelectMany(row =>
                        row.Select((cell, c) => cell with { Label = cell.Label is null ? columns[c] : $"{columns[c]}\n{cell.Label}" }).Chunk(perRow)
                    ),
                ],
                RowLabels =
                    Results.Count > 1
                        ? [.. Results.SelectMany(r => Enumerable.Range(0, (columns.Length + perRow - 1) / perRow).Select(part => part == 0 ? r[0].Prompt : ""))]
                        : null,
            }
        );
    }

    /// <summary>One image and its reconstructions behind a draggable divider.</summary>
    /// <param name="image">Index of the image.</param>
    public CompareView Slider(int image = 0) =>
        new(
            [new NamedImage("image", Results[image][0].Image), .. Results[image].Select((r, m) => new NamedImage(Methods[m], r.Reconstruction))],
            Results[image][0].Prompt
        );

    /// <summary>The measures: means over the images, with standard deviations if there are several images.</summary>
    public TableView Table() =>
        new(
            new TableData(
                Results.Count == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"Means over {Results.Count} images"),
                ["method", "PSNR [dB]", "below the autoencoder [dB]", "evaluations", "with backward pass", "time [s]"],
                [
                    .. Methods.Select(
                        (name, m) =>
                            (IReadOnlyList<string>)
                                [
                                    name,
                                    Mean(m, r => r.ReconstructionPsnr, "0.0"),
                                    Mean(m, r => r.RoundTripPsnr - r.ReconstructionPsnr, "0.0"),
                                    Mean(m, r => r.Inversion.EvaluationsPerImage, "0"),
                                    Mean(m, r => r.Inversion.BackwardsPerImage, "0"),
                                    Mean(m, r => r.Inversion.Elapsed.TotalSeconds, "0.0"),
                                ]
                    ),
                ]
            )
        );

    /// <summary>Bar chart of each method's PSNR.</summary>
    public ChartView Chart()
    {
        double[][] psnr = [.. Methods.Select((_, m) => Results.Select(r => r[m].ReconstructionPsnr).ToArray())];
        return new ChartView(
            new BarChart
            {
                Title = "Reconstruction quality",
                XAxis = new Axis("method"),
                YAxis = new Axis("PSNR", "dB"),
                Height = 340,
                Categories = Methods,
                Series =
                [
                    new BarSeries("reconstruction", [.. psnr.Select(p => p.Average())])
                    {
                        Lower = Results.Count > 1 ? [.. psnr.Select(p => p.Average() - Deviation(p))] : null,
                        Upper = Results.Count > 1 ? [.. psnr.Select(p => p.Average() + Deviation(p))] : null,
                    },
                ],
                HorizontalLines = [new ReferenceLine("autoencoder", Results.Average(r => r[0].RoundTripPsnr))],
            }
        );
    }

    /// <summary>Frees its tensors; displayed outputs stay.</summary>
    public void Dispose()
    {
        foreach (InvertedImage result in Results.SelectMany(r => r))
            result.Dispose();
    }

    private protected override Rendition Draw() => StackView.Of([Grid(), Table()]);

    private static GridCell Cell(RgbImage image, double psnr, bool best = false) =>
        new(image) { Label = string.Create(CultureInfo.InvariantCulture, $"{psnr:0.0} dB"), Highlight = best };

    private string Mean(int method, Func<InvertedImage, double> value, string format)
    {
        double[] values = [.. Results.Select(r => value(r[method]))];
        string mean = values.Average().ToString(format, CultureInfo.InvariantCulture);
        return values.Length == 1 ? mean : $"{mean} ± {Deviation(values).ToString(format, CultureInfo.InvariantCulture)}";
    }

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, values.Length - 1));
    }
}
