using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using static NullTextResearch.Experiments.ReconstructionMethod;

namespace NullTextResearch.Figures.Paper;

/// <summary>All methods side by side at the largest N.</summary>
internal sealed class AblationTable : PaperFigure
{
    private static readonly ReconstructionMethod[] Methods =
    [
        Ddim,
        NullText,
        RandomCaption,
        GlobalNullText,
        RandomPivot,
        TextualInversion,
        NonPivotal,
        TextualInversionWithPivot,
        NegativePrompt,
        DirectInversion,
    ];

    // dB.
    private const double Comparable = 0.5;

    public override string Id => "ablations";

    public override IReadOnlyList<string> Aliases => [];

    public override string Title => "Ablations and baselines";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) =>
        Methods.Select(m => MethodWork(settings, m, m == TextualInversionWithPivot ? [settings.InnerSteps[^1]] : null));

    public override FigureContent Make(ExperimentLab lab)
    {
        int n = lab.Settings.InnerSteps[^1];
        double[] bound = [.. Reconstruction.Bound(lab).Select(r => r.Psnr)];
        (ReconstructionMethod Method, IReadOnlyList<ReconstructionRecord> Records)[] all =
        [
            .. Methods.Select(m => (m, m == TextualInversionWithPivot ? Reconstruction.Run(lab, m, [n])[0] : Fig04.Curve(lab, m)[^1])),
        ];
        double Of(ReconstructionMethod method) => Mean(all.First(a => a.Method == method).Records.Select(r => r.Psnr));
        double[] Psnrs(ReconstructionMethod method) => [.. all.First(a => a.Method == method).Records.Select(r => r.Psnr)];
        double[] ours = Psnrs(NullText),
            textual = Psnrs(TextualInversionWithPivot);
        PairedDifference apart = PairedDifference.Of(ours, textual);
        return new FigureContent
        {
            Claims =
            [
                Claim.Of(
                    Invariant($"Textual inversion with a pivot reconstructs comparably (within {Comparable} dB)."),
                    "pictures only",
                    Invariant($"null-text {Apart(apart, "0.00")} it"),
                    PairedDifference.Of(ours.Zip(textual, (o, t) => Comparable - Math.Abs(o - t)))
                ),
            ],
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}, w = {lab.Settings.GuidanceScale}, N = {n} where a method optimises, no early stopping. Evaluations: forward passes "
                    + $"of the network per image for the inversion, and how many of them were followed by a backward pass. For methods that pass through "
                    + $"several N in one run, evaluations and seconds are those up to this N."
            ),
            Paper =
                "Pivot and null text are both needed: textual inversion with a pivot reconstructs comparably but spoils the attention maps, non-pivotal "
                + "optimisation ends below DDIM inversion. Negative-prompt and direct inversion came later and are shown as free baselines.",
            Found = string.Create(
                CultureInfo.InvariantCulture,
                $"Null-text {Of(NullText):0.00} dB, textual inversion with a pivot {Of(TextualInversionWithPivot):0.00} dB, negative prompt "
                    + $"{Of(NegativePrompt):0.00} dB, direct inversion {Of(DirectInversion):0.00} dB; autoencoder {bound.Average():0.00} dB, DDIM "
                    + $"inversion {Of(Ddim):0.00} dB, non-pivotal {Of(NonPivotal):0.00} dB."
            ),
            Charts =
            [
                (
                    "psnr",
                    new BarChart
                    {
                        Title = Invariant($"PSNR of all methods at N = {n}"),
                        XAxis = new Axis("method"),
                        YAxis = new Axis("PSNR", "dB"),
                        Categories = [.. all.Select(a => Reconstruction.NameOf(a.Method))],
                        Series = [new BarSeries("mean over images", [.. all.Select(a => Mean(a.Records.Select(r => r.Psnr)))])],
                        HorizontalLines = [new ReferenceLine("autoencoder (bound)", bound.Average())],
                    }
                ),
            ],
            Tables =
            [
                (
                    "methods",
                    new TableData(
                        "Methods",
                        ["method", "PSNR [dB]", "below the bound [dB]", "evaluations per image", "with backward pass", "seconds per image"],
                        [
                            .. all.Select(a =>
                                (IReadOnlyList<string>)
                                    [
                                        Reconstruction.NameOf(a.Method),
                                        MeanAndDeviation([.. a.Records.Select(r => r.Psnr)]),
                                        Invariant($"{bound.Average() - Mean(a.Records.Select(r => r.Psnr)):0.00}"),
                                        Invariant($"{Mean(a.Records.Select(r => r.Evaluations)):0}"),
                                        Invariant($"{Mean(a.Records.Select(r => r.Backwards)):0}"),
                                        Invariant($"{Mean(a.Records.Select(r => r.Seconds)):0.0}"),
                                    ]
                            ),
                        ]
                    )
                ),
            ],
        };
    }
}
