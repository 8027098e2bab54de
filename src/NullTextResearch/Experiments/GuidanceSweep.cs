using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>DDIM inversion at guidance scales from 1 up: Fig. 9.</summary>
public static class GuidanceSweep
{
    /// <summary>Runs the sweep.</summary>
    /// <param name="lab">Model, images, settings.</param>
    /// <returns>Per guidance scale, per image.</returns>
    public static IReadOnlyList<IReadOnlyList<GuidanceRecord>> Run(ExperimentLab lab) =>
        [.. lab.Settings.InversionGuidance.Select(w => lab.PerImage("guidance", _ => new { w, lab.Settings.GuidanceScale }, batch => At(lab, batch, w)))];

    private static IReadOnlyList<GuidanceRecord> At(ExperimentLab lab, ExperimentLab.Batch batch, double w)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = batch.Problem(lab.Settings.GuidanceScale);
        using InversionResult result = new DdimInversion(new DdimInversionOptions { GuidanceScale = w }).Invert(problem, null, lab.Cancellation);
        double[] Sampled(double guidance)
        {
            using DisposeScope inner = NewDisposeScope();
            Images.RgbImage[] images = lab.Model.Decode(
                Sampler.Run(problem.Predictor, lab.Grid, result.Plan with { GuidanceScale = guidance }, null, lab.Cancellation)
            );
            return [.. batch.Images.Select((image, i) => Psnr.Of(image.Image, images[i]))];
        }

        IReadOnlyList<GaussianStatistics> noise = GaussianStatistics.Of(result.StartLatents);
        double[] sampling = Sampled(lab.Settings.GuidanceScale),
            one = Sampled(1),
            same = w == 1 ? one : Sampled(w);
        return [.. Enumerable.Range(0, batch.Indices.Count).Select(i => new GuidanceRecord(w, noise[i], same[i], sampling[i], one[i]))];
    }
}
