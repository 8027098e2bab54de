using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using static NullTextResearch.Experiments.ReconstructionMethod;

namespace NullTextResearch.Figures.Paper;

/// <summary>Figs. 13 and 14: reconstructions over iterations, one grid per image.</summary>
internal sealed class Fig13 : PaperFigure
{
    private const int MostGrids = 4;
    private static readonly ReconstructionMethod[] Methods = [TextualInversion, NonPivotal, RandomPivot, GlobalNullText, RandomCaption, NullText];

    public override string Id => "fig13";

    public override IReadOnlyList<string> Aliases => ["13", "14"];

    public override string Title => "Figures 13 and 14: reconstructions over iterations";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) => [.. Methods.Select(m => MethodWork(settings, m)), MethodWork(settings, Ddim)];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<int> counts = lab.Settings.InnerSteps;
        IReadOnlyList<ReconstructionRecord> bound = Reconstruction.Bound(lab),
            ddim = Reconstruction.Run(lab, Ddim, [])[0];
        IReadOnlyList<IReadOnlyList<ReconstructionRecord>>[] curves = [.. Methods.Select(m => Fig04.Curve(lab, m))];
        GridCell Cell(ReconstructionRecord record, string? name = null, bool highlight = false) =>
            new(record.Image()) { Label = (name is null ? "" : name + "\n") + Invariant($"{record.Psnr:0.0} dB"), Highlight = highlight };
        (string, ImageGrid, string)[] grids =
        [
            .. lab
                .Images.Take(MostGrids)
                .Select(
                    (image, i) =>
                        (
                            image.Name,
                            new ImageGrid
                            {
                                Title = image.Caption,
                                Subtitle = Invariant($"T = {lab.Settings.Steps}, w = {lab.Settings.GuidanceScale}; iterations = N × T"),
                                ColumnLabels = ["reference", .. counts.Select(n => $"N = {n}")],
                                RowLabels = [.. Methods.Select(Reconstruction.NameOf)],
                                MinimumCellSize = 128,
                                Rows =
                                [
                                    .. Methods.Select(
                                        (m, row) =>
                                            (IReadOnlyList<GridCell?>)
                                                [
                                                    row switch
                                                    {
                                                        0 => new GridCell(image.Image) { Label = "input" },
                                                        1 => Cell(bound[i], "autoencoder"),
                                                        2 => Cell(ddim[i], "DDIM"),
                                                        _ => null,
                                                    },
                                                    .. curves[row].Select((c, n) => Cell(c[i], null, m == NullText && n == counts.Count - 1)),
                                                ]
                                    ),
                                ],
                            },
                            $"Reconstructions of '{image.Caption}' by six variants over iterations"
                        )
                ),
        ];
        IEnumerable<string> ends = Methods.Select((m, r) => Invariant($"{Reconstruction.NameOf(m)} {Mean(curves[r][^1].Select(x => x.Psnr)):0.0}"));
        double plain = Mean(ddim.Select(r => r.Psnr));
        double[] withoutPivot = [.. curves[1][^1].Select(r => r.Psnr)],
            plainly = [.. ddim.Select(r => r.Psnr)];
        return new FigureContent
        {
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}{(lab.Images.Count > MostGrids ? $" (the first {MostGrids} shown)" : "")}, w = "
                    + $"{lab.Settings.GuidanceScale}, N = {string.Join(", ", counts)}. "
                    + $"First column: input, autoencoder round trip and DDIM inversion without optimisation. Numbers: PSNR against the input."
            ),
            Paper =
                "Null-text is close to the autoencoder after 200 to 300 iterations, a random caption a little later; global null-text keeps the layout "
                + "but invents details, random pivot stays blurred, textual inversion changes the image, and the non-pivotal variant is worse than DDIM "
                + "inversion without any optimisation.",
            Found = Invariant($"Mean PSNR at N = {counts[^1]}: {string.Join(", ", ends)} dB. Plain DDIM inversion: {plain:0.0} dB."),
            Claims =
            [
                Claim.Of(
                    "Without a pivot the optimisation ends below plain DDIM inversion.",
                    "pictures only",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Mean(withoutPivot):0.0} dB against {plain:0.0} dB: {Apart(PairedDifference.Of(withoutPivot, plainly))} it"
                    ),
                    PairedDifference.Of(plainly, withoutPivot)
                ),
            ],
            Grids = grids,
        };
    }
}
