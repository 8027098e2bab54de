using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures.Paper;

/// <summary>Figs. 1, 2 and 10: one inversion, many edits.</summary>
internal sealed class Fig02 : PaperFigure
{
    private const int MostGrids = 8;

    public override string Id => "fig02";

    public override IReadOnlyList<string> Aliases => ["2", "1", "10"];

    public override string Title => "Figures 1, 2 and 10: one inversion, many edits";

    public override bool NeedsEdits => true;

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) => [InversionForEdits(settings), new("edits", settings.Steps * 17)];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<GalleryRecord> records = EditExperiments.Gallery(lab);
        EditRecord[] all = [.. records.SelectMany(r => r.Edits)];
        EditRecord[] judged = [.. all.Where(e => e.Recognised is not null)],
            measured = [.. all.Where(e => e.PsnrToTruth is not null)];
        List<string> found =
        [
            Invariant($"{all.Length} edits of {Count(records.Count, "image")}, reconstructed at {Mean(records.Select(r => r.Psnr)):0.0} dB."),
        ];
        if (judged.Length > 0)
            found.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The classifier finds exactly the target's objects and background in {judged.Count(e => e.Recognised == true)} of {judged.Length} "
                        + $"edited images."
                )
            );
        EditRecord[] whole = [.. measured.Where(e => e.Recognised is not null)];
        int successes = whole.Count(e => e.Recognised == true && e.PsnrToTruth > e.SourcePsnrToTruth);
        if (whole.Length > 0)
            found.Add(Invariant($"Successes (seen by the classifier, and nearer to the rendered truth than the input): {successes} of {whole.Length}."));
        if (measured.Length > 0)
            found.Add(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"PSNR against the rendered truth of the edit: {Mean(measured.Select(e => e.PsnrToTruth!.Value)):0.0} dB on average; the unedited "
                        + $"input has {Mean(measured.Select(e => e.SourcePsnrToTruth!.Value)):0.0} dB."
                )
            );
        List<Claim> claims = [];
        if (measured.Length > 0)
        {
            PairedDifference nearer = PairedDifference.Of(
                records
                    .Where(r => r.Edits.Any(e => e.PsnrToTruth is not null))
                    .Select(r => r.Edits.Where(e => e.PsnrToTruth is not null).Average(e => e.PsnrToTruth!.Value - e.SourcePsnrToTruth!.Value))
            );
            claims.Add(
                Claim.Of(
                    "Edits from one inversion show the requested change and keep the rest.",
                    "pictures only",
                    Invariant(
                        $"{successes} of {whole.Length} seen by the classifier and nearer to the truth than the input; {Claim.Say(nearer)} nearer on average"
                    ),
                    nearer
                )
            );
        }

        PairedDifference kept = PairedDifference.Of(lab.Images.Zip(records, (image, r) => r.Psnr - Psnr.Of(image.Image, ImageFile.Decode(r.DdimPng))));
        claims.Add(
            Claim.Of("Plain DDIM inversion at the same guidance loses what null-text keeps.", "pictures only", Invariant($"null-text {Apart(kept)} it"), kept)
        );
        return new FigureContent
        {
            Claims = claims,
            Caption =
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Conditions(lab)}, N = {lab.Settings.InnerSteps[^1]} with early stopping. One null-text inversion per image at w = "
                        + $"{lab.Settings.EditGuidanceScale}; every edit is prompt-to-prompt from it (cross-attention injected for "
                        + $"{lab.Settings.CrossReplace:0 %} of the steps, self-attention for {lab.Settings.SelfReplace:0 %}, edits of an object confined to "
                        + $"the region of its word). "
                ) + (measured.Length > 0 ? "Second row: the true result, rendered from the edited scene." : ""),
            Paper =
                "One inversion serves many edits (words replaced, added and re-weighted) that keep the rest of the image; plain DDIM inversion at the "
                + "same guidance loses pose, colours and background.",
            Found = string.Join(" ", found),
            Grids = [.. lab.Images.Take(MostGrids).Select((image, i) => (image.Name, Grid(image, records[i]), $"Edits of '{image.Caption}'"))],
            Tables =
            [
                (
                    "edits",
                    new TableData(
                        "Edits",
                        ["image", "edit", "target prompt", "PSNR to truth [dB]", "input to truth [dB]", "classifier agrees", "distance to input"],
                        [
                            .. records.SelectMany(
                                (r, i) =>
                                    r.Edits.Select(e =>
                                        (IReadOnlyList<string>)
                                            [
                                                lab.Images[i].Name,
                                                e.Label,
                                                e.Prompt,
                                                e.PsnrToTruth is { } p ? Invariant($"{p:0.0}") : "",
                                                e.SourcePsnrToTruth is { } s ? Invariant($"{s:0.0}") : "",
                                                e.Recognised switch
                                                {
                                                    true => "yes",
                                                    false => "no",
                                                    null => "",
                                                },
                                                Invariant($"{e.DistanceToSource:0.000}"),
                                            ]
                                    )
                            ),
                        ]
                    )
                ),
            ],
        };
    }

    private static ImageGrid Grid(ExperimentImage image, GalleryRecord record)
    {
        List<IReadOnlyList<GridCell?>> rows =
        [
            [
                new GridCell(image.Image) { Label = "input" },
                new GridCell(ImageFile.Decode(record.DdimPng)) { Label = "DDIM inversion" },
                new GridCell(ImageFile.Decode(record.ReconstructionPng)) { Label = Invariant($"null-text\n{record.Psnr:0.0} dB"), Highlight = true },
                .. record.Edits.Select(e => new GridCell(e.Image()) { Label = e.Label }),
            ],
        ];
        bool truth = record.Edits.Any(e => e.TruthPng is not null);
        if (truth)
            rows.Add([null, null, null, .. record.Edits.Select(e => e.TruthPng is { } png ? new GridCell(ImageFile.Decode(png)) : null)]);
        return new ImageGrid
        {
            Title = image.Caption,
            Rows = rows,
            RowLabels = truth ? ["result", "truth"] : null,
            MinimumCellSize = 128,
        };
    }
}
