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
    /// <exception cref="ArgumentException">There is no row.</exception>
    public static Report Of(IReadOnlyList<NullTextCostRow> rows, IReadOnlyList<ReportFact> facts, string? command = null)
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
            Sections = [Frontier(rows, command), Residuals(rows)],
        };
    }

    private static FigureSection Frontier(IReadOnlyList<NullTextCostRow> rows, string? command) =>
        new()
        {
            Id = "frontier",
            Title = "Quality against cost",
            Caption =
                $"Means of {rows[0].Records.Count} scenes. The pivot's PSNR is that of the reconstruction to the autoencoder's round trip; that of an edit is "
                + "its distance to the scene rendered with the change. The table has the intervals.",
            ThisRunFound = Found(rows),
            Charts =
            [
                Points(rows, "Reconstruction: PSNR to the pivot", row => row.PivotPsnr.Value).Build(),
                Points(rows, "Edit: PSNR to the truth", row => row.EditPsnr.Value).Build(),
            ],
            Tables = [new TableData("Every variant", NullTextCost.Columns, [.. rows.Select(row => NullTextCost.Cells(row, rows[0]))])],
            Command = command,
        };

    private static FigureSection Residuals(IReadOnlyList<NullTextCostRow> rows) =>
        new()
        {
            Id = "residuals",
            Title = "What is left at each timestep",
            Caption =
                "Median over scenes of the last loss measured at each timestep: the mean squared distance of the latents to the pivot (Adam: before its last "
                + "update). Where many updates still leave a loss, no embedding near the path reaches the pivot from there, and "
                + "all later timesteps begin with it.",
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
        PairedDifference pivot = fast.PivotAbove(rows[0]),
            edit = fast.EditAbove(rows[0]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The fast preset costs {fast.ShareOf(rows[0]):0.00} of {rows[0].Variant.Name}. Its PSNR to the pivot differs by "
                + $"{NullTextCost.Say(pivot)} dB, that of its edits to "
                + $"the truth by {NullTextCost.Say(edit)} dB. {Verdict(fast.ShareOf(rows[0]), pivot, edit)}"
        );
    }

    /// <summary>Whether a quarter of the cost is reached without a clear loss.</summary>
    private static string Verdict(double share, PairedDifference pivot, PairedDifference edit)
    {
        List<string> missed = [];
        if (share > 0.25)
            missed.Add("it costs more than a quarter");
        if (pivot.High < 0)
            missed.Add("its reconstruction is clearly worse");
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
