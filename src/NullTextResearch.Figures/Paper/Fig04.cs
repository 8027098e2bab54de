using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using static NullTextResearch.Experiments.ReconstructionMethod;

namespace NullTextResearch.Figures.Paper;

/// <summary>Fig. 4: PSNR against iterations for all variants.</summary>
internal sealed class Fig04 : PaperFigure
{
    // Tolerance in dB for reaching the same end: the paper's own curves end 0.3 dB below the bound.
    private const double NearBound = 0.5;

    // The published Fig. 4, read off by pixel (about 0.05 dB): dB at N iterations per timestep.
    private const double PaperBound = 25.99,
        PaperDdim = 13.56;
    private static readonly double[] PaperCounts = [1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20];

    private static readonly Dictionary<ReconstructionMethod, double[]> PaperCurves = new()
    {
        [NullText] = [17.4, 20.9, 23.4, 24.5, 25.1, 25.3, 25.5, 25.6, 25.7, 25.8, 25.8],
        // From N = 8 on it is hidden by the curve above.
        [RandomCaption] = [15.1, 18.3, 21.6, 23.3, 24.4, 25.0, 25.2],
        [GlobalNullText] = [14.6, 16.0, 17.5, 18.8, 19.8, 20.8, 21.3, 21.2, 22.4, 22.6, 23.2],
        [RandomPivot] = [11.9, 13.4, 14.5, 15.3, 15.8, 16.3, 16.8, 17.2, 17.8, 18.9, 19.4],
        [TextualInversion] = [8.5, 8.6, 8.9, 9.3, 10.0, 10.8, 11.8, 12.8, 14.6, 15.7, 16.9],
    };

    public override string Id => "fig04";

    public override IReadOnlyList<string> Aliases => ["4"];

    public override string Title => "Figure 4: PSNR against optimisation iterations";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) =>
        [.. Reconstruction.Fig4.Select(m => MethodWork(settings, m)), MethodWork(settings, Ddim)];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<int> counts = lab.Settings.InnerSteps;
        double[] bound = [.. Reconstruction.Bound(lab).Select(r => r.Psnr)],
            ddim = [.. Reconstruction.Run(lab, Ddim, [])[0].Select(r => r.Psnr)];
        Dictionary<ReconstructionMethod, IReadOnlyList<IReadOnlyList<ReconstructionRecord>>> curves = Reconstruction.Fig4.ToDictionary(
            m => m,
            m => Curve(lab, m)
        );
        double[] x = [.. counts.Select(n => (double)n * lab.Settings.Steps)];
        double At(ReconstructionMethod method, int index) => Mean(curves[method][index].Select(r => r.Psnr));
        string Methods(int index) => string.Join(", ", Reconstruction.Fig4.Select(m => Invariant($"{Reconstruction.NameOf(m)} {At(m, index):0.0}")));
        double ours = At(NullText, counts.Count - 1);
        List<string> found =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"After {x[^1]:0} iterations (N = {counts[^1]}) null-text reaches {ours:0.00} dB: {bound.Average() - ours:0.00} dB below the "
                    + $"autoencoder's bound ({bound.Average():0.00} dB) and {ours - ddim.Average():0.00} dB above DDIM inversion ({ddim.Average():0.00} dB)."
            ),
            $"At N = {counts[0]}: {Methods(0)} dB; at N = {counts[^1]}: {Methods(counts.Count - 1)} dB.",
        ];
        double[] Psnrs(ReconstructionMethod method, int index) => [.. curves[method][index].Select(r => r.Psnr)];
        PairedDifference[] Behind(ReconstructionMethod method) => [.. counts.Select((_, i) => PairedDifference.Of(Psnrs(NullText, i), Psnrs(method, i)))];
        Claim StaysBehind(ReconstructionMethod method, string name, string paper)
        {
            PairedDifference[] behind = Behind(method);
            int clear = behind.Count(b => b.Low > 0);
            return Claim.Of(
                $"{name} stays behind null-text at every N.",
                paper,
                Invariant($"{Claim.Say(behind[^1])} at N = {counts[^1]}")
                    + (behind[0].Count < Claim.FewestImages ? "" : $"; clear at {clear} of {counts.Count} N"),
                behind
            );
        }

        PairedDifference toBound = PairedDifference.Of(bound, Psnrs(NullText, counts.Count - 1)),
            overDdim = PairedDifference.Of(Psnrs(NullText, counts.Count - 1), ddim);
        PairedDifference captionFirst = Behind(RandomCaption)[0],
            captionLast = Behind(RandomCaption)[^1];
        PairedDifference rise = PairedDifference.Of(Psnrs(TextualInversion, counts.Count - 1), Psnrs(TextualInversion, 0));
        Claim[] claims =
        [
            Claim.Of(
                Invariant($"Null-text ends within {NearBound} dB of the autoencoder's bound."),
                "0.3 dB below it at N = 10",
                Invariant($"{Claim.Say(toBound, format: "0.00")} below it at N = {counts[^1]}"),
                PairedDifference.Of(bound.Zip(Psnrs(NullText, counts.Count - 1), (b, o) => NearBound - (b - o)))
            ),
            Claim.Of("Null-text ends far above DDIM inversion.", "12.1 dB at N = 10", Invariant($"{Claim.Say(overDdim)} at N = {counts[^1]}"), overDdim),
            StaysBehind(GlobalNullText, "One null text for all timesteps", "3.3 dB at N = 10"),
            StaysBehind(RandomPivot, "A random pivot", "7.9 dB at N = 10"),
            StaysBehind(TextualInversion, "Textual inversion", "11.1 dB at N = 10"),
            Claim.Of(
                "A random caption is slower, but reaches the same PSNR.",
                "2.3 dB behind at N = 1, under 0.1 dB at N = 10",
                Invariant($"{Claim.Say(captionFirst)} behind at N = {counts[0]}, {Claim.Say(captionLast)} at N = {counts[^1]}"),
                captionFirst,
                PairedDifference.Of(Psnrs(NullText, counts.Count - 1).Zip(Psnrs(RandomCaption, counts.Count - 1), (o, c) => NearBound - (o - c)))
            ),
            Claim.Of(
                "Textual inversion rises with N.",
                "8.5 dB at N = 1, 14.6 dB at N = 10",
                Invariant($"{At(TextualInversion, 0):0.0} dB at N = {counts[0]}, {At(TextualInversion, counts.Count - 1):0.0} dB at N = {counts[^1]}"),
                rise
            ),
        ];
        return new FigureContent
        {
            Caption =
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Conditions(lab)}, sampled at w = {lab.Settings.GuidanceScale}, N = {string.Join(", ", counts)} inner iterations per timestep (N T "
                        + $"in all), no early stopping. Solid: this run, mean over images with its 95 % interval for five or more images, else one dot each; "
                        + $"dashed: the paper, 100 COCO images, T = 50. Each image is measured against its own bound. "
                )
                + "Null-text, random caption and random pivot need a separate run for each N; global null-text and textual inversion pass through all "
                + "N in one run.",
            Paper =
                "100 COCO images: null-text rises from 17.4 dB at 50 iterations to 25.7 dB at 500, 0.3 dB below the autoencoder's bound (25.99 dB) and 12 "
                + "dB above DDIM inversion (13.56 dB). A random caption ends the same but later; global null-text (22.4 dB), random pivot (17.8 dB) and "
                + "textual inversion (14.6 dB) stay behind.",
            Found = string.Join(" ", found),
            Claims = claims,
            Charts =
            [
                (
                    "gap",
                    new LineChart
                    {
                        Title = "Distance below the autoencoder's bound",
                        XAxis = new Axis("N, iterations per timestep") { Scale = AxisScale.Log, Ticks = [.. counts.Select(n => (double)n)] },
                        YAxis = new Axis("PSNR below the bound", "dB"),
                        Height = 520,
                        Series =
                        [
                            .. Reconstruction.Fig4.Select(
                                (m, i) =>
                                    LineSeries.FromSamples(
                                        Reconstruction.NameOf(m),
                                        [.. counts.Select(n => (double)n)],
                                        [.. curves[m].Select(c => (IReadOnlyList<double>)[.. c.Select((r, k) => bound[k] - r.Psnr)])]
                                    ) with
                                    {
                                        Emphasis = m == NullText,
                                    }
                            ),
                            .. Reconstruction.Fig4.Select((m, i) => Published(m, counts[^1]) with { Color = Chart.ColorOf(i) }),
                        ],
                        HorizontalLines =
                        [
                            new ReferenceLine("DDIM inversion", bound.Average() - ddim.Average()),
                            new ReferenceLine("DDIM inversion, paper", PaperBound - PaperDdim),
                        ],
                    }
                ),
            ],
            Tables =
            [
                (
                    "psnr-table",
                    new TableData(
                        "PSNR [dB], mean over images; ± standard deviation for five or more images",
                        ["variant", .. counts.Select(n => $"N = {n}")],
                        [
                            .. Reconstruction.Fig4.Select(m =>
                                (IReadOnlyList<string>)[Reconstruction.NameOf(m), .. curves[m].Select(c => MeanAndDeviation([.. c.Select(r => r.Psnr)]))]
                            ),
                            ["DDIM inversion", .. counts.Select(_ => MeanAndDeviation(ddim))],
                            ["autoencoder (bound)", .. counts.Select(_ => MeanAndDeviation(bound))],
                        ]
                    )
                ),
            ],
        };
    }

    private static LineSeries Published(ReconstructionMethod method, int most)
    {
        (double N, double Psnr)[] read = [.. PaperCounts.Zip(PaperCurves[method]).Where(p => p.First <= most)];
        return new LineSeries($"{Reconstruction.NameOf(method)}, paper", [.. read.Select(p => p.N)], [.. read.Select(p => PaperBound - p.Psnr)])
        {
            Dashed = true,
            Markers = false,
        };
    }

    /// <summary>A method's curve over the settings' N; the global variant's longer run is cut.</summary>
    internal static IReadOnlyList<IReadOnlyList<ReconstructionRecord>> Curve(ExperimentLab lab, ReconstructionMethod method) =>
        method == GlobalNullText
            ? [.. Reconstruction.Run(lab, method, lab.Settings.GlobalPasses).Where(r => lab.Settings.InnerSteps.Contains(r[0].InnerSteps))]
            : Reconstruction.Run(lab, method, lab.Settings.InnerSteps);
}
