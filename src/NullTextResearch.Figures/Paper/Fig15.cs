using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures.Paper;

/// <summary>Figs. 12 and 15: cross-attention maps per word.</summary>
internal sealed class Fig15 : PaperFigure
{
    private const int MostGrids = 8;

    public override string Id => "fig15";

    public override IReadOnlyList<string> Aliases => ["15", "12"];

    public override string Title => "Figures 12 and 15: cross-attention maps per word";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) =>
        [
            InversionForEdits(settings),
            new("textual inversion with a pivot for maps", settings.Steps * (4 + 2.5 * settings.InnerSteps[^1])),
            new("maps", settings.Steps * 4),
        ];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<AttentionRecord> records = AttentionExperiment.Run(lab);
        string[] function = ["a", "an", "the", "in", "on", "at", "to", "next", "of", "and", "with"];
        double Of(IReadOnlyList<WordMap> maps) => maps.Where(m => !function.Contains(m.Word)).Average(m => m.Concentration);
        double ours = Mean(records.Select(r => Of(r.NullText))),
            theirs = Mean(records.Select(r => Of(r.Textual)));
        PairedDifference focus = PairedDifference.Of(records.Select(r => 100 * (Of(r.NullText) - Of(r.Textual))));
        return new FigureContent
        {
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}, N = {lab.Settings.InnerSteps[^1]}, w = {lab.Settings.EditGuidanceScale}. Cross-attention maps ({records[0].Height} × "
                    + $"{records[0].Width}) of the conditional branch, averaged over steps, heads and layers, over the image, as multiples of an even share, "
                    + $"one scale for all maps of an image. Upper row: null-text inversion; lower row: textual inversion with a pivot, which optimises the "
                    + $"words' own embeddings."
            ),
            Paper =
                "Null-text inversion leaves the prompt's embedding unchanged, and the maps of its words lie on their objects; after textual inversion with a "
                + "pivot they are diffuse, and edits distort.",
            Found = string.Create(
                CultureInfo.InvariantCulture,
                $"Content words keep {ours:0 %} of their attention in the strongest tenth of the pixels with null-text inversion, {theirs:0 %} with textual "
                    + $"inversion with a pivot (10 % would be even)."
            ),
            Claims =
            [
                Claim.Of(
                    "The words' maps are sharper with null texts than after textual inversion with a pivot.",
                    "pictures only",
                    Invariant($"{Claim.Say(focus, "percentage points")} more in the strongest tenth of the pixels"),
                    focus
                ),
            ],
            Grids =
            [
                .. records.Take(MostGrids).Select((r, i) => (lab.Images[i].Name, Grid(lab.Images[i], r), $"Cross-attention maps of '{lab.Images[i].Caption}'")),
            ],
            Tables =
            [
                (
                    "concentration",
                    new TableData(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"Share of a word's attention in the strongest tenth of the pixels, and entropy of its map (even: 0.1, "
                                + $"{Math.Log2(records[0].Width * records[0].Height):0.0} bits)"
                        ),
                        ["image", "word", "null-text", "textual inversion with a pivot", "null-text [bits]", "textual inversion with a pivot [bits]"],
                        [
                            .. records.SelectMany(
                                (r, i) =>
                                    r.NullText.Zip(
                                        r.Textual,
                                        (m, t) =>
                                            (IReadOnlyList<string>)
                                                [
                                                    lab.Images[i].Name,
                                                    m.Word,
                                                    Invariant($"{m.Concentration:0.000}"),
                                                    Invariant($"{t.Concentration:0.000}"),
                                                    Invariant($"{MapStatistics.Entropy(m.Values):0.00}"),
                                                    Invariant($"{MapStatistics.Entropy(t.Values):0.00}"),
                                                ]
                                    )
                            ),
                        ]
                    )
                ),
            ],
        };
    }

    private static ImageGrid Grid(ExperimentImage image, AttentionRecord record)
    {
        IReadOnlyList<WordMap> all = [.. record.NullText, .. record.Textual];
        (RgbImage[] overlays, string scale) = HeatmapOverlay.OnOneScale(image.Image, [.. all.Select(m => m.Values)], record.Width, record.Height);
        GridCell[] cells = [.. all.Zip(overlays, (map, over) => new GridCell(over) { Label = Invariant($"{MapStatistics.Entropy(map.Values):0.00} bits") })];
        return new ImageGrid
        {
            Title = image.Caption,
            Subtitle = scale,
            ColumnLabels = ["input", .. record.NullText.Select(m => m.Word)],
            RowLabels = ["null-text", "textual inversion with a pivot"],
            MinimumCellSize = 128,
            Rows =
            [
                [new GridCell(image.Image), .. cells[..record.NullText.Count]],
                [null, .. cells[record.NullText.Count..]],
            ],
        };
    }
}
