using NullTextResearch.Images;

namespace NullTextResearch.Figures.Tests;

/// <summary>A report with one of everything, made of invented data: it looks like the real ones, it claims nothing.</summary>
internal static class SampleReport
{
    private static readonly double[] Iterations = [1, 2, 3, 5, 10];

    internal static LineChart Lines =>
        new()
        {
            Title = "Reconstruction quality against the number of inner iterations, for every variant (invented data)",
            XAxis = new Axis("inner iterations per step") { Scale = AxisScale.Log, Ticks = Iterations },
            YAxis = new Axis("PSNR", "dB"),
            Series =
            [
                new LineSeries("null-text (per timestep)", Iterations, [27.1, 29.0, 30.2, 31.0, 31.4])
                {
                    Lower = [25.9, 28.1, 29.3, 30.2, 30.7],
                    Upper = [28.3, 29.9, 31.1, 31.8, 32.1],
                    Emphasis = true,
                },
                new LineSeries("global null-text", Iterations, [22.0, 23.1, 23.9, 24.7, 25.2])
                {
                    Lower = [21, 22.2, 23, 23.6, 24.1],
                    Upper = [23, 24, 24.8, 25.8, 26.3],
                },
                new LineSeries("random pivot", Iterations, [14.2, 15.1, 16.8, 18.0, 20.1]),
                new LineSeries("textual inversion with a pivot", Iterations, [20.5, 22.7, 24.1, 26.0, 27.9]) { Dashed = true },
                new LineSeries("random caption", Iterations, [26.0, 28.2, 29.6, 30.5, 31.1]) { Dashed = true },
            ],
            HorizontalLines = [new ReferenceLine("VAE bound", 31.9), new ReferenceLine("DDIM inversion", 17.3)],
        };

    internal static BarChart Bars =>
        new()
        {
            Title = "Network evaluations per image",
            XAxis = new Axis("method"),
            YAxis = new Axis("UNet evaluations"),
            Categories = ["DDIM", "negative prompt", "null-text N=3", "null-text N=10", "direct inversion <x>"],
            Series =
            [
                new BarSeries("ours", [50, 50, 300, 1100, 150]) { Lower = [50, 50, 290, 1000, 150], Upper = [50, 50, 310, 1160, 150] },
                new BarSeries("released", [50, 50, 450, 1550, 200]),
            ],
        };

    internal static HeatmapChart Heatmap =>
        new()
        {
            Title = "Background kept, against injection fractions",
            XAxis = new Axis("self-replace fraction"),
            YAxis = new Axis("cross-replace fraction"),
            ColorAxis = new Axis("PSNR", "dB"),
            Rows = ["0", "0.4", "0.8"],
            Columns = ["0", "0.2", "0.4", "0.6"],
            Values = [14.1, 15.2, 16.3, 17.0, 15.0, 17.1, 18.2, 19.9, 15.7, 18.0, 20.2, double.NaN],
            Decimals = 1,
        };

    internal static ScatterChart Scatter =>
        new()
        {
            Title = "SDEdit: edit strength against distance to the source",
            XAxis = new Axis("probability of the target word") { Minimum = 0, Maximum = 1 },
            YAxis = new Axis("distance to source"),
            Series =
            [
                new ScatterSeries("SDEdit", [0.2, 0.5, 0.8], [0.3, 0.55, 0.9]) { Labels = ["t=0.3", "t=0.5", "t=0.8"], Connected = true },
                new ScatterSeries("SDEdit with null-text", [0.3, 0.6, 0.85], [0.2, 0.3, 0.5]) { Labels = ["t=0.3", "t=0.5", "t=0.8"], Connected = true },
            ],
        };

    /// <summary>A disc on a ground, different for every seed.</summary>
    internal static RgbImage Picture(int seed, int size = 64)
    {
        byte[] rgb = new byte[size * size * 3];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double fromCentre = Math.Sqrt(Math.Pow(x - (size * (0.3 + (0.1 * (seed % 5)))), 2) + Math.Pow(y - (size * 0.55), 2));
                bool disc = fromCentre < size * 0.25;
                int at = ((y * size) + x) * 3;
                rgb[at] = (byte)(disc ? 210 - (20 * seed % 120) : 90 + (y * 80 / size));
                rgb[at + 1] = (byte)(disc ? 60 + (30 * seed % 150) : 150 + (x * 60 / size));
                rgb[at + 2] = (byte)(disc ? 50 + (50 * seed % 200) : 220 - (y * 140 / size));
            }
        }

        return new RgbImage(size, size, rgb);
    }

    internal static ImageGrid Grid =>
        new()
        {
            Title = "Reconstructions over inner iterations",
            Subtitle = "64 px, T = 50, w = 7.5; every row one held-out picture",
            ColumnLabels = ["input", "VAE round trip", "DDIM, w = 7.5", "N = 1", "N = 3", "N = 10"],
            RowLabels = ["a red car in the desert at night", "a cat next to a tree on a snowy field"],
            Rows =
            [
                .. Enumerable
                    .Range(0, 2)
                    .Select(row =>
                        (IReadOnlyList<GridCell?>)
                            [
                                .. Enumerable
                                    .Range(0, 6)
                                    .Select(column =>
                                        column == 4 && row == 1
                                            ? null
                                            : new GridCell(Picture(row + column))
                                            {
                                                Label = column > 1 ? $"{20 + (column * 2)}.{row} dB" : null,
                                                Highlight = column == 5,
                                            }
                                    ),
                            ]
                    ),
            ],
        };

    internal static ImageGrid Attention
    {
        get
        {
            string[] words = ["a", "red", "car", "in the desert at night"];
            float[][] maps =
            [
                .. words.Select(
                    (_, word) =>
                        Enumerable
                            .Range(0, 256)
                            .Select(i => MathF.Exp(-(MathF.Pow((i % 16) - 5 - word, 2) + MathF.Pow((i / 16) - 8, 2)) / (6 + (word * 12))))
                            .ToArray()
                ),
            ];
            return ImageGrid.AttentionMaps(Picture(1), words, maps, 16, 16) with { Title = "Cross-attention per word" };
        }
    }

    internal static Report Create() =>
        new()
        {
            Title = "Null-text inversion: the main experiments",
            Introduction =
                "Every figure of the paper's main part on held-out pictures. <b>This text</b> is escaped & harmless.\n\nAll data on this sample page are "
                + "invented.",
            Facts =
            [
                new("Model", "sd-mini, 64 px"),
                new("Images", "8 held-out"),
                new("Steps T", "50"),
                new("Inner iterations N", "1, 2, 3, 5, 10"),
                new("Device", "CPU, 2 threads"),
                new("Time", "12 min 40 s"),
            ],
            Sections =
            [
                new FigureSection
                {
                    Id = "fig04",
                    Title = "Figure 4: PSNR against inner iterations",
                    Caption = "8 images, T = 50, w = 7.5. Bands are one standard deviation over images.",
                    PaperFound = "Null-text inversion approaches the VAE bound within few iterations; DDIM inversion alone stays far below.",
                    ThisRunFound = "31.4 dB after 10 iterations, 0.5 dB below the bound and 14.1 dB above DDIM.",
                    Command = "dotnet run --project src/NullTextResearch.Cli -- reproduce --figures fig04 --images data/images/toy --out runs/paper",
                    Charts = [Lines.Build()],
                    Tables =
                    [
                        new TableData(
                            "PSNR [dB], mean ± standard deviation",
                            ["variant", "N = 1", "N = 3", "N = 10", "evaluations", "seconds"],
                            [
                                ["null-text (per timestep)", "27.1 ± 1.2", "30.2 ± 0.9", "31.4 ± 0.7", "1100", "24.1"],
                                ["global null-text", "22.0 ± 1.0", "23.9 ± 0.9", "25.2 ± 1.1", "1100", "24.0"],
                                ["random pivot <script>", "14.2 ± 1.3", "16.8 ± 1.2", "20.1 ± 1.5", "1100", "24.3"],
                            ]
                        ),
                    ],
                    Files = [new ReportFile("CSV", "fig04/psnr.csv")],
                    ManifestJson = "{\n  \"figure\": \"fig04\",\n  \"seed\": 0,\n  \"options\": { \"guidanceScale\": 7.5, \"innerSteps\": 10 }\n}",
                },
                new FigureSection
                {
                    Id = "fig13",
                    Title = "Figures 13 and 14: reconstructions over iterations",
                    Images =
                    [
                        new ReportImage(Grid.ToPng(), "Grid of reconstructions")
                        {
                            Caption = "From left to right: input, bound, baseline, and three numbers of iterations.",
                        },
                    ],
                },
                new FigureSection
                {
                    Id = "fig12",
                    Title = "Figures 12 and 15: cross-attention maps",
                    Images = [new ReportImage(Attention.ToPng(), "Attention maps")],
                    PaperFound = "Maps of an inverted picture lie on the objects.",
                },
                new FigureSection
                {
                    Id = "fig08",
                    Title = "Figure 8: SDEdit with and without null-text",
                    Charts = [Scatter.Build(), Heatmap.Build()],
                },
                new FigureSection
                {
                    Id = "speed",
                    Title = "Speed",
                    Charts = [Bars.Build()],
                    ThisRunFound = "1.5x fewer evaluations.",
                },
            ],
        };
}
