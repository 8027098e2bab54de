using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures.Paper;

/// <summary>Fig. 5: attention re-weighting as a fader.</summary>
internal sealed class Fig05 : PaperFigure
{
    public override string Id => "fig05";

    public override IReadOnlyList<string> Aliases => ["5"];

    public override string Title => "Figure 5: re-weighting a word";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) =>
        [InversionForEdits(settings), new("fader", settings.Steps * 2 * (1 + settings.Factors.Count))];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<FaderRecord> records = EditExperiments.Fader(lab);
        double[] factors = [.. lab.Settings.Factors];
        IReadOnlyList<IReadOnlyList<double>> distances =
        [
            .. factors.Select((_, f) => (IReadOnlyList<double>)[.. records.Select(r => r.Edits[f].DistanceToSource)]),
        ];
        double[] up = [.. factors.Select((f, i) => (f, Mean: distances[i].Average())).Where(p => p.f >= 1).Select(p => p.Mean)];
        // One row of beliefs for each image whose word the classifier can judge.
        double[][] beliefs =
        [
            .. records
                .Select((r, i) => r.Edits.Select(e => EditExperiments.FaderBelief(lab, lab.Images[i], e.Image())).OfType<double>().ToArray())
                .Where(row => row.Length == factors.Length),
        ];
        List<Claim> claims = [];
        List<(string, Chart)> charts = [];
        if (beliefs.Length > 0)
        {
            int first = 0,
                last = factors.Length - 1;
            PairedDifference rise = PairedDifference.Of(beliefs.Select(b => b[last] - b[first]));
            PairedDifference[] steps = [.. Enumerable.Range(1, last).Select(f => PairedDifference.Of(beliefs.Select(b => b[f] - b[f - 1])))];
            claims.Add(
                Claim.Of(
                    "A larger weight shows more of the word, step by step.",
                    "pictures only",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"belief in the word {Mean(beliefs.Select(b => b[first])):0.00} at x {factors[first]}, {Mean(beliefs.Select(b => b[last])):0.00} "
                            + $"at x {factors[last]}; rises at {steps.Count(d => d.Mean > 0)} of {last} steps"
                    ),
                    [rise, .. steps]
                )
            );
            charts.Add(
                (
                    "belief",
                    new LineChart
                    {
                        Title = "The classifier's belief in the word",
                        XAxis = new Axis("factor of the word") { Ticks = factors },
                        YAxis = new Axis("probability"),
                        Height = 320,
                        Series =
                        [
                            LineSeries.FromSamples(
                                "all images",
                                factors,
                                [.. factors.Select((_, f) => (IReadOnlyList<double>)[.. beliefs.Select(b => b[f])])]
                            ) with
                            {
                                Emphasis = true,
                            },
                        ],
                    }
                )
            );
        }

        return new FigureContent
        {
            Claims = claims,
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}, N = {lab.Settings.InnerSteps[^1]}, w = {lab.Settings.EditGuidanceScale}. One word's cross-attention is multiplied by "
                    + $"{string.Join(", ", factors.Select(f => Invariant($"{f}")))} while the image is rebuilt from its null-text inversion; 1 changes "
                    + $"nothing. The distance is one minus the structural similarity to the input, averaged over up to three scales (0 equal, about 1 "
                    + $"unrelated)."
            ),
            Paper = "Larger weights strengthen what the word says (a drier field, a denser pattern) step by step, and leave the rest of the image unchanged.",
            Found = string.Create(
                CultureInfo.InvariantCulture,
                $"Mean distance to the input: {string.Join(", ", factors.Select((f, i) => Invariant($"{distances[i].Average():0.000} at x {f}")))}. From "
                    + $"x 1 upwards it {(up.Zip(up.Skip(1)).All(p => p.Second > p.First) ? "grows with every factor" : "does not grow with every factor")}."
            ),
            Charts =
            [
                .. charts,
                (
                    "distance",
                    new LineChart
                    {
                        Title = "Change of the image with the factor",
                        XAxis = new Axis("factor of the word") { Ticks = factors },
                        YAxis = new Axis("distance to the input"),
                        Height = 320,
                        Series = [LineSeries.FromSamples("all images", factors, distances) with { Emphasis = true }],
                    }
                ),
            ],
            Grids =
            [
                (
                    "fader",
                    new ImageGrid
                    {
                        Title = "A word turned down and up",
                        ColumnLabels = ["input", .. factors.Select(f => Invariant($"x {f}"))],
                        RowLabels = [.. records.Take(8).Select((r, i) => Invariant($"{lab.Images[i].Caption}\n[{r.Word}]"))],
                        MinimumCellSize = 128,
                        Rows =
                        [
                            .. records
                                .Take(8)
                                .Select(
                                    (r, i) =>
                                        (IReadOnlyList<GridCell?>)
                                            [
                                                new GridCell(lab.Images[i].Image),
                                                .. r.Edits.Select((e, f) => new GridCell(e.Image()) { Highlight = factors[f] == 1 }),
                                            ]
                                ),
                        ],
                    },
                    "Images with one word re-weighted"
                ),
            ],
        };
    }
}
