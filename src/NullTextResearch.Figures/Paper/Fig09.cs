using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures.Paper;

/// <summary>Fig. 9: DDIM inversion at several guidance scales.</summary>
internal sealed class Fig09 : PaperFigure
{
    public override string Id => "fig09";

    public override IReadOnlyList<string> Aliases => ["9"];

    public override string Title => "Figure 9: guidance scale of the DDIM inversion";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) => [new("guidance sweep", settings.Steps * settings.InversionGuidance.Count * 7)];

    public override FigureContent Make(ExperimentLab lab)
    {
        IReadOnlyList<IReadOnlyList<GuidanceRecord>> sweep = GuidanceSweep.Run(lab);
        double[] w = [.. lab.Settings.InversionGuidance];
        double sampling = lab.Settings.GuidanceScale;
        IReadOnlyList<IReadOnlyList<double>> Of(Func<GuidanceRecord, double> value) =>
            [.. sweep.Select(images => (IReadOnlyList<double>)[.. images.Select(value)])];
        double[] Means(Func<GuidanceRecord, double> value) => [.. Of(value).Select(Mean)];
        double[] likelihood = Means(r => r.Noise.LogLikelihood),
            same = Means(r => r.PsnrSame),
            fixedW = Means(r => r.PsnrSampling);
        double gaussian = sweep[0][0].Noise.ExpectedLogLikelihood;
        PairedDifference[] Falls(Func<GuidanceRecord, double> value) =>
            [
                .. Enumerable
                    .Range(1, w.Length - 1)
                    .Select(i => PairedDifference.Of(sweep[i - 1].Zip(sweep[i], (before, after) => value(before) - value(after)))),
            ];
        PairedDifference[] BelowFirst(Func<GuidanceRecord, double> value) =>
            [.. Enumerable.Range(1, w.Length - 1).Select(i => PairedDifference.Of(sweep[0].Zip(sweep[i], (first, later) => value(first) - value(later))))];
        return new FigureContent
        {
            Claims =
            [
                Claim.Of(
                    "The log-likelihood of the inverted noise falls at every step of w.",
                    "-22,800 at w = 1, -23,200 at w = 8 (axis)",
                    Invariant($"{likelihood[0]:0} at w = {w[0]}, {likelihood[^1]:0} at w = {w[^1]}"),
                    Falls(r => r.Noise.LogLikelihood)
                ),
                Claim.Of(
                    Invariant($"PSNR, sampled at w = {sampling}, falls with the w of the inversion: w = 1 is best."),
                    "falls from 13.6 dB, w = 1 best (axis from 10 to 14)",
                    Invariant($"{fixedW[0]:0.0} dB at w = {w[0]}, {fixedW.Max():0.0} dB at its best, w = {w[Array.IndexOf(fixedW, fixedW.Max())]}"),
                    BelowFirst(r => r.PsnrSampling)
                ),
                Claim.Of(
                    "Sampled at the w of the inversion, PSNR falls too: w = 1 is best.",
                    "not shown",
                    Invariant($"{same[0]:0.0} dB at w = {w[0]}, {same[^1]:0.0} dB at w = {w[^1]}"),
                    BelowFirst(r => r.PsnrSame)
                ),
            ],
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}; inversion at w = {string.Join(", ", w.Select(x => Invariant($"{x}")))} with the caption and the empty prompt, no "
                    + $"optimisation. Log-likelihood is the total over all {sweep[0][0].Noise.Dimensions} elements of the latents under N(0, I), natural "
                    + $"logarithm; the dashed line is its expectation for a true Gaussian sample. PSNR is shown for sampling at the w of the inversion, "
                    + $"at w = {sampling} and at w = 1. Bands: 95 % interval of the mean for five or more images; else one dot per image."
            ),
            Paper =
                "Both the log-likelihood of the inverted noise and the PSNR fall as the guidance scale of the inversion grows from 1 to 8; w = 1 is best "
                + "for both. (The paper's likelihood at w = 1 lies above that of a true Gaussian sample, so it measures little more than the latents' "
                + "energy: hence the further statistics here.)",
            Found = string.Join(
                " ",
                [
                    $"Log-likelihood {Trend(likelihood)} with w: {Invariant($"{likelihood[0]:0}")} at w = 1, {Invariant($"{likelihood[^1]:0}")} at w = "
                        + $"{Invariant($"{w[^1]}")}; a true Gaussian sample has {Invariant($"{gaussian:0}")}.",
                    Invariant($"PSNR sampled at the same w {Trend(same)}: {same[0]:0.00} dB at w = 1, {same[^1]:0.00} dB at w = {w[^1]}."),
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"Sampled at w = {sampling} it {Trend(fixedW)}: {fixedW[0]:0.00} dB at w = 1, {fixedW[^1]:0.00} dB at w = {w[^1]}, highest "
                            + $"({fixedW.Max():0.00} dB) at w = {w[Array.IndexOf(fixedW, fixedW.Max())]}."
                    ),
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The w = 1 inversion gives {Means(r => r.PsnrOne)[0]:0.00} dB when sampled at w = 1 and {fixedW[0]:0.00} dB when sampled at w = "
                            + $"{sampling}."
                    ),
                ]
            ),
            Charts =
            [
                (
                    "likelihood",
                    new LineChart
                    {
                        Title = "Total log-likelihood of the inverted noise",
                        XAxis = new Axis("guidance scale of the inversion") { Ticks = w },
                        YAxis = new Axis("log-likelihood", "nat"),
                        Series = [LineSeries.FromSamples("inverted noise z_T", w, Of(r => r.Noise.LogLikelihood)) with { Emphasis = true }],
                        HorizontalLines = [new ReferenceLine("true Gaussian sample (expected)", gaussian)],
                    }
                ),
                (
                    "psnr",
                    new LineChart
                    {
                        Title = "Reconstruction quality",
                        XAxis = new Axis("guidance scale of the inversion") { Ticks = w },
                        YAxis = new Axis("PSNR", "dB"),
                        Series =
                        [
                            LineSeries.FromSamples(Invariant($"sampled at w = {sampling}"), w, Of(r => r.PsnrSampling)) with
                            {
                                Emphasis = true,
                            },
                            LineSeries.FromSamples("sampled at the same w", w, Of(r => r.PsnrSame)),
                            LineSeries.FromSamples("sampled at w = 1", w, Of(r => r.PsnrOne)),
                        ],
                    }
                ),
            ],
            Tables =
            [
                (
                    "gaussianity",
                    new TableData(
                        "How Gaussian is the inverted noise? (means over images; a true sample: 1, 0, 0, 0, 0 and 1)",
                        ["w", "mean z²", "shell deviation [σ]", "excess kurtosis", "neighbour correlation", "channel means", "channel std"],
                        [
                            .. sweep.Select(
                                (images, i) =>
                                    (IReadOnlyList<string>)
                                        [
                                            Invariant($"{w[i]}"),
                                            Invariant($"{Mean(images.Select(r => r.Noise.MeanSquare)):0.000}"),
                                            Invariant($"{Mean(images.Select(r => r.Noise.ShellDeviation)):0.00}"),
                                            Invariant($"{Mean(images.Select(r => r.Noise.ExcessKurtosis)):0.00}"),
                                            Invariant($"{Mean(images.Select(r => r.Noise.NeighbourCorrelation)):0.000}"),
                                            Channels(images, r => r.Noise.ChannelMeans),
                                            Channels(images, r => r.Noise.ChannelDeviations),
                                        ]
                            ),
                        ]
                    )
                ),
            ],
        };
    }

    private static string Channels(IReadOnlyList<GuidanceRecord> images, Func<GuidanceRecord, IReadOnlyList<double>> of) =>
        string.Join(" ", Enumerable.Range(0, of(images[0]).Count).Select(c => Invariant($"{images.Average(r => of(r)[c]):0.00}")));

    private static string Trend(double[] values) =>
        values.Zip(values.Skip(1)).All(p => p.Second < p.First) ? "falls at every step"
        : values[^1] < values[0] ? "ends lower than it starts, but does not fall at every step"
        : "does not fall";
}
