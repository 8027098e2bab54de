using NullTextResearch.Experiments;
using NullTextResearch.Figures;

namespace NullTextResearch.Cli.Reproduce;

/// <summary>Fig. 5: attention re-weighting as a fader.</summary>
internal sealed class Fig05 : Figure
{
    public override string Id => "fig05";

    public override IReadOnlyList<string> Aliases => ["5"];

    public override string Title => "Figure 5: re-weighting a word";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) => [InversionForEdits(settings), new("fader", settings.Steps * 2 * (1 + settings.Factors.Count))];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<FaderRecord> records = EditExperiments.Fader(lab);
        double[] factors = [.. lab.Settings.Factors];
        IReadOnlyList<IReadOnlyList<double>> distances = [.. factors.Select((_, f) => (IReadOnlyList<double>)[.. records.Select(r => r.Edits[f].DistanceToSource)])];
        double[] up = [.. factors.Select((f, i) => (f, Mean: distances[i].Average())).Where(p => p.f >= 1).Select(p => p.Mean)];
        return new FigureContent
        {
            Caption = Invariant($"{Conditions(lab)}, N = {lab.Settings.InnerSteps[^1]}, w = {lab.Settings.EditGuidanceScale}. One word's cross-attention is multiplied by {string.Join(", ", factors.Select(f => Invariant($"{f}")))} while the image is rebuilt from its null-text inversion; 1 changes nothing. The distance is one minus the structural similarity to the input, averaged over up to three scales (0 equal, about 1 unrelated)."),
            Paper = "Larger weights strengthen what the word says (a drier field, a denser pattern) step by step, and leave the rest of the image alone.",
            Found = Invariant($"Mean distance to the input: {string.Join(", ", factors.Select((f, i) => Invariant($"{distances[i].Average():0.000} at x {f}")))}. From x 1 upwards it {(up.Zip(up.Skip(1)).All(p => p.Second > p.First) ? "grows with every factor" : "does not grow with every factor")}."),
            Charts =
            [
                ("distance", new LineChart
                {
                    Title = "Change of the image with the factor",
                    XAxis = new Axis("factor of the word") { Ticks = factors },
                    YAxis = new Axis("distance to the input"),
                    Height = 320,
                    Series = [LineSeries.FromSamples("all images", factors, distances) with { Emphasis = true }],
                }),
            ],
            Grids =
            [
                ("fader", new ImageGrid
                {
                    Title = "A word turned down and up",
                    ColumnLabels = ["input", .. factors.Select(f => Invariant($"x {f}"))],
                    RowLabels = [.. records.Take(8).Select((r, i) => Invariant($"{lab.Images[i].Caption}\n[{r.Word}]"))],
                    MinimumCellSize = 128,
                    Rows = [.. records.Take(8).Select((r, i) => (IReadOnlyList<GridCell?>)[new GridCell(lab.Images[i].Image), .. r.Edits.Select((e, f) => new GridCell(e.Image()) { Highlight = factors[f] == 1 })])],
                }, "Images with one word re-weighted"),
            ],
        };
    }
}
