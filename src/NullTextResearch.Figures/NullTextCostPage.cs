using System.Globalization;
using NullTextResearch.Benchmarks;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures;

/// <summary>The page of <see cref="NullTextCost"/>: quality against cost, and what is left at each timestep.</summary>
public static class NullTextCostPage
{
    /// <summary>The report.</summary>
    /// <param name="rows">The variants, the baseline first.</param>
    /// <param name="facts">Facts about the run.</param>
    /// <param name="command">The command that makes the page, or null.</param>
    /// <param name="reach">What embeddings can reach at best; null to leave the figure out.</param>
    /// <exception cref="ArgumentException">There is no row.</exception>
    public static Report Of(IReadOnlyList<NullTextCostRow> rows, IReadOnlyList<ReportFact> facts, string? command = null, NullTextReach? reach = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(facts);
        if (rows.Count == 0)
            throw new ArgumentException("The page needs at least one variant.", nameof(rows));
        return new Report
        {
            Title = "Null-text inversion: quality against cost",
            Introduction =
                "Variants of null-text optimisation on the same rendered scenes. Cost counts a forward pass as 1 and a backward pass as 2, and includes the "
                + "pivot. Differences are paired, with 95 % intervals.",
            Facts = facts,
            Sections = [Frontier(rows, command), Losses(rows), .. reach is null ? [] : new[] { Reach(reach) }],
        };
    }

    /// <summary>A table with one row per variant and image.</summary>
    /// <param name="rows">The variants.</param>
    public static TableData Images(IReadOnlyList<NullTextCostRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
        return new TableData(
            "Every image",
            ["variant", "image", "forward", "backward", "seconds", "source-psnr", "pivot-psnr", "edit-psnr", "succeeded"],
            [
                .. rows.SelectMany(row =>
                    row.Records.Select(
                        (r, image) =>
                            (IReadOnlyList<string>)
                                [
                                    row.Variant.Name,
                                    image.ToString(CultureInfo.InvariantCulture),
                                    Number(r.Forwards),
                                    Number(r.Backwards),
                                    Number(r.Seconds),
                                    Number(r.SourcePsnr),
                                    Number(r.PivotPsnr),
                                    Number(r.EditPsnr),
                                    r.Success switch
                                    {
                                        true => "1",
                                        false => "0",
                                        null => "",
                                    },
                                ]
                    )
                ),
            ]
        );
    }

    private static FigureSection Frontier(IReadOnlyList<NullTextCostRow> rows, string? command) =>
        new()
        {
            Id = "frontier",
            Title = "Quality against cost",
            Caption =
                $"Means of {rows[0].Records.Count} scenes. The pivot's PSNR is that of the reconstruction to the autoencoder's round trip; that of an edit is "
                + "its distance to the scene rendered with the change. The table has paired differences with their intervals.",
            ThisRunFound = Found(rows),
            Charts =
            [
                Points(rows, "Reconstruction: PSNR to the picture", row => row.SourcePsnr.Value).Build(),
                Points(rows, "Reconstruction: PSNR to the pivot", row => row.PivotPsnr.Value).Build(),
                Points(rows, "Edit: PSNR to the truth", row => row.EditPsnr.Value).Build(),
            ],
            Tables = [new TableData("Every variant", NullTextCost.Columns, [.. rows.Select(row => NullTextCost.Cells(row, rows[0]))])],
            Command = command,
        };

    private static FigureSection Losses(IReadOnlyList<NullTextCostRow> rows) =>
        new()
        {
            Id = "losses",
            Title = "What is left at each timestep",
            Caption =
                "Median over scenes of the last loss measured at each timestep: the mean squared distance of the latents to the pivot (Adam: before its last "
                + "update). All later timesteps begin with what one leaves.",
            Charts =
            [
                new LineChart
                {
                    Title = "Loss left at each timestep",
                    XAxis = new Axis("timestep, noisiest first"),
                    YAxis = new Axis("loss") { Scale = AxisScale.Log },
                    Series =
                    [
                        .. rows.Select(row => new LineSeries(
                            row.Variant.Name,
                            [.. row.Records[0].Losses.Select((_, step) => (double)step)],
                            [.. row.Records[0].Losses.Select((_, step) => Median(row.Records.Select(r => r.Losses[step])))]
                        )
                        {
                            Markers = false,
                            Emphasis = row.Variant.Name == NullTextVariant.Fast.Name,
                        }),
                    ],
                }.Build(),
            ],
        };

    private static FigureSection Reach(NullTextReach reach)
    {
        IReadOnlyList<double> start = reach.Residuals(reach.Furthest, r => r.FirstLosses),
            end = reach.Residuals(reach.Furthest, r => r.Losses),
            released = reach.Residuals(reach.Baseline, r => r.Losses);
        int images = reach.Furthest.Records.Count,
            most = reach.Furthest.Variant.Options.InnerSteps;
        return new FigureSection
        {
            Id = "reach",
            Title = "What null texts reach at best",
            Caption =
                "The noise prediction of the null text that would land exactly on the pivot is known in closed form, because a step is affine in it. Shown "
                + $"is how far the prediction stays from it (root mean square; the noise itself has 1), the median of {images} scenes: with the null text that "
                + $"the timestep before left, after {most} updates, and after the released updates. What even the long optimisation leaves is a bound in "
                + "practice, not a proof: other optimisers may find more.",
            ThisRunFound = string.Create(
                CultureInfo.InvariantCulture,
                $"Averaged over timesteps, the distance is {start.Average():0.0000} before the long optimisation's updates and {end.Average():0.0000} after "
                    + $"({100 * end.Average() / start.Average():0} % of it), after the released updates {released.Average():0.0000}. The long optimisation's "
                    + $"PSNR to the pivot differs from the released one's by {reach.Furthest.PivotAbove(reach.Baseline).ToSignedText()} dB, to the picture by "
                    + $"{reach.Furthest.SourceAbove(reach.Baseline).ToSignedText()} dB."
            ),
            Charts =
            [
                new LineChart
                {
                    Title = "Distance of the null text's prediction to the exact one",
                    XAxis = new Axis("timestep, noisiest first"),
                    YAxis = new Axis("root mean square") { Scale = AxisScale.Log },
                    Series =
                    [
                        Line("before the updates", start),
                        Line(reach.Baseline.Variant.Name, released),
                        Line(reach.Furthest.Variant.Name, end) with
                        {
                            Emphasis = true,
                        },
                    ],
                }.Build(),
            ],
            Tables =
            [
                new TableData(
                    "On the same scenes",
                    NullTextCost.Columns,
                    [NullTextCost.Cells(reach.Baseline, reach.Baseline), NullTextCost.Cells(reach.Furthest, reach.Baseline)]
                ),
            ],
        };

        static LineSeries Line(string name, IReadOnlyList<double> values) =>
            new(name, [.. values.Select((_, step) => (double)step)], [.. values]) { Markers = false };
    }

    private static ScatterChart Points(IReadOnlyList<NullTextCostRow> rows, string title, Func<NullTextCostRow, double> quality) =>
        new()
        {
            Title = title,
            XAxis = new Axis("cost", "forward passes") { Scale = AxisScale.Log },
            YAxis = new Axis("PSNR", "dB"),
            Series = [.. rows.Select(row => new ScatterSeries(row.Variant.Name, [row.Cost], [quality(row)]))],
        };

    private static string Found(IReadOnlyList<NullTextCostRow> rows)
    {
        if (rows.FirstOrDefault(r => r.Variant.Name == NullTextVariant.Fast.Name) is not { } fast || rows[0].Records.Count < 2)
            return $"{rows.Count} variants were measured.";
        PairedDifference source = fast.SourceAbove(rows[0]),
            pivot = fast.PivotAbove(rows[0]),
            edit = fast.EditAbove(rows[0]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The fast preset costs {fast.ShareOf(rows[0]):0.00} of {rows[0].Variant.Name}. Its PSNR to the picture differs by {source.ToSignedText()} dB, "
                + $"to the pivot by {pivot.ToSignedText()} dB, that of its edits to the truth by {edit.ToSignedText()} dB. "
                + $"{Verdict(fast.ShareOf(rows[0]), source, pivot, edit)}"
        );
    }

    /// <summary>Whether a quarter of the cost is reached without a clear loss.</summary>
    private static string Verdict(double share, PairedDifference source, PairedDifference pivot, PairedDifference edit)
    {
        List<string> missed = [];
        if (share > 0.25)
            missed.Add("it costs more than a quarter");
        if (source.High < 0)
            missed.Add("its reconstruction is clearly farther from the picture");
        if (pivot.High < 0)
            missed.Add("its reconstruction is clearly farther from the pivot");
        if (edit.High < 0)
            missed.Add("its edits are clearly worse");
        return missed.Count == 0 ? "No clear loss at a quarter of the cost or less." : $"The goal is missed: {string.Join(", ", missed)}.";
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
