using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>When an edit of a toy scene counts as successful: the one definition for evaluations of models and for benchmarks.</summary>
internal static class SceneEditOutcome
{
    /// <summary>Whether the classifier sees the scene that the edit asked for, and nothing that it removed.</summary>
    /// <param name="plan">The edit.</param>
    /// <param name="seen">What the classifier sees in the edited picture.</param>
    /// <param name="domain">The classifier's domain. In the first one, colours count only where the edit changes one.</param>
    public static bool SeenAsAsked(SceneEditPlan plan, SceneJudgement seen, SceneDomain domain)
    {
        SceneDescription truth = plan.Target;
        IEnumerable<SceneObjectKind> gone = plan.Source.Objects.Select(o => o.Kind).Except(truth.Objects.Select(o => o.Kind));
        return seen.ObjectsAgree(truth)
            && gone.All(k => seen.Objects[(int)k] < 0.5)
            && seen.Background == truth.Background
            && seen.AirAgrees(truth)
            && (plan.Edit is not ColourChange && domain.Version == 1 || seen.ColoursAgree(truth));
    }

    /// <summary>PSNR in dB over a region of two pictures; at most 100.</summary>
    /// <param name="a">[3, H, W] in [-1, 1]; borrowed.</param>
    /// <param name="b">The same shape; borrowed.</param>
    /// <param name="mask">[H, W], 1 in the region and 0 elsewhere; borrowed.</param>
    public static double PsnrIn(Tensor a, Tensor b, Tensor mask) =>
        -10 * Math.Log10(Math.Max(1e-10, a.sub(b).Over(2).Squared().mean([0]).mul(mask).sum().div(mask.sum()).item<float>()));

    /// <summary>Whether an edit succeeds: seen as asked, and closer to the truth than no edit at all.</summary>
    /// <param name="seenAsAsked">As from <see cref="SeenAsAsked"/>.</param>
    /// <param name="edited">PSNR of the edited picture to the truth, over the whole picture.</param>
    /// <param name="unedited">PSNR of the source picture to the truth.</param>
    public static bool Succeeds(bool seenAsAsked, double edited, double unedited) => seenAsAsked && edited > unedited;
}
