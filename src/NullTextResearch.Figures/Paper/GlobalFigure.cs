using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using static NullTextResearch.Experiments.ReconstructionMethod;

namespace NullTextResearch.Figures.Paper;

/// <summary>Global against per-timestep null-text embeddings.</summary>
internal sealed class GlobalFigure : PaperFigure
{
    public override string Id => "global";

    public override IReadOnlyList<string> Aliases => [];

    public override string Title => "Global against per-timestep null-text";

    public override IEnumerable<WorkItem> Work(ExperimentSettings settings) =>
        [MethodWork(settings, NullText), MethodWork(settings, GlobalNullText), MethodWork(settings, Ddim)];

    public override FigureContent Make(ExperimentLab lab)
    {
        int steps = lab.Settings.Steps;
        IReadOnlyList<IReadOnlyList<ReconstructionRecord>> local = Fig04.Curve(lab, NullText),
            global = Reconstruction.Run(lab, GlobalNullText, lab.Settings.GlobalPasses);
        double bound = Mean(Reconstruction.Bound(lab).Select(r => r.Psnr)),
            ddim = Mean(Reconstruction.Run(lab, Ddim, [])[0].Select(r => r.Psnr));
        LineSeries Series(string name, IReadOnlyList<IReadOnlyList<ReconstructionRecord>> curve) =>
            LineSeries.FromSamples(
                name,
                [.. curve.Select(c => (double)c[0].InnerSteps * steps)],
                [.. curve.Select(c => (IReadOnlyList<double>)[.. c.Select(r => r.Psnr)])]
            );
        LineSeries ours = Series("one embedding per timestep", local) with { Emphasis = true },
            theirs = Series("one embedding for all (global)", global);
        PairedDifference lead = PairedDifference.Of([.. local[^1].Select(r => r.Psnr)], [.. global[^1].Select(r => r.Psnr)]);
        return new FigureContent
        {
            Caption = string.Create(
                CultureInfo.InvariantCulture,
                $"{Conditions(lab)}, w = {lab.Settings.GuidanceScale}. The global variant passes over all timesteps repeatedly, one gradient step "
                    + $"each, with one Adam (rate 0.01) for the whole run. Bands: 95 % interval of the mean for five or more images; else one dot per image."
            ),
            Paper =
                "One global embedding needs about 7,500 iterations (half an hour) to reconstruct accurately; one embedding per timestep needs 500 (a minute).",
            Found = string.Create(
                CultureInfo.InvariantCulture,
                $"Per timestep: {ours.Y[^1]:0.00} dB after {ours.X[^1]:0} iterations. Global: {theirs.Y[local.Count - 1]:0.00} dB after the same number, "
                    + $"{theirs.Y[^1]:0.00} dB after {theirs.X[^1]:0}, {theirs.Y.Max():0.00} dB at its best, after "
                    + $"{theirs.X[theirs.Y.ToList().IndexOf(theirs.Y.Max())]:0}."
            ),
            Claims =
            [
                Claim.Of(
                    "With far fewer iterations, one embedding per timestep reaches a PSNR that one embedding for all does not.",
                    "500 against 7,500 iterations",
                    Invariant($"{ours.X[^1]:0} per timestep lie {Claim.Say(lead)} above {theirs.X[^1]:0} global"),
                    lead
                ),
            ],
            Charts =
            [
                (
                    "psnr",
                    new LineChart
                    {
                        Title = "Global against per-timestep embeddings",
                        XAxis = new Axis("iterations") { Scale = AxisScale.Log, Ticks = [.. theirs.X] },
                        YAxis = new Axis("PSNR", "dB"),
                        Series = [ours, theirs],
                        HorizontalLines = [new ReferenceLine("autoencoder (bound)", bound), new ReferenceLine("DDIM inversion", ddim)],
                    }
                ),
            ],
        };
    }
}
