using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;
using NullTextResearch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>SDEdit with and without null-text inversion: Fig. 8.</summary>
public static class SdEditExperiment
{
    /// <summary>Applies each image's first planned edit at every strength, with and without null texts.</summary>
    public static IReadOnlyList<SdEditRecord> Run(ExperimentLab lab) =>
        PerImage<SdEditRecord>(
            lab,
            "sdedit",
            (batch, inversion, target) =>
            {
                using StepEmbeddings empty = StepEmbeddings.Constant(batch.Unconditional);
                SdEditPoint[][] plain = Curve(lab, batch, s => Noised(empty, s)),
                    ours = Curve(lab, batch, s => Noised(inversion.Unconditional, s));
                return [.. batch.Images.Select((image, i) => new SdEditRecord(EditOf(image).Prompt, WordOf(image)?.Word, plain[i], ours[i]))];

                Tensor Noised(StepEmbeddings unconditional, double strength)
                {
                    using SdEditResult result = SdEdit.Run(
                        new SdEditProblem
                        {
                            Predictor = lab.Predictor(),
                            Grid = lab.Grid,
                            Latents = batch.Latents,
                            Conditional = target,
                            Unconditional = unconditional,
                            GuidanceScale = lab.Settings.EditGuidanceScale,
                        },
                        new SdEditOptions { Strength = strength, Seed = lab.Settings.Seed },
                        lab.Cancellation
                    );
                    return result.Latents.alias();
                }
            }
        );

    /// <summary>
    /// The same with null texts, but sampling starts from the pivot at the noise level t0 instead of from fresh noise: it is not SDEdit, but
    /// null-text inversion
    /// whose target prompt is used for the last steps only.
    /// </summary>
    /// <returns>Per image, one point a strength.</returns>
    public static IReadOnlyList<IReadOnlyList<SdEditPoint>> FromPivot(ExperimentLab lab) =>
        PerImage<SdEditPoint[]>(
            lab,
            "sdedit-from-pivot",
            (batch, inversion, target) =>
                Curve(
                    lab,
                    batch,
                    strength =>
                    {
                        int moves = (int)(strength * lab.Grid.Steps);
                        return Sampler.Run(
                            lab.Predictor(),
                            lab.Grid,
                            new SamplingPlan
                            {
                                StartLatents = inversion.Pivot![moves],
                                Conditional = target,
                                Unconditional = inversion.Unconditional,
                                GuidanceScale = lab.Settings.EditGuidanceScale,
                                FirstStep = lab.Grid.Steps - moves,
                            },
                            cancellation: lab.Cancellation
                        );
                    }
                )
        );

    private static IReadOnlyList<T> PerImage<T>(
        ExperimentLab lab,
        string name,
        Func<ExperimentLab.Batch, InversionResult, StepEmbeddings, IReadOnlyList<T>> compute
    ) =>
        lab.PerImage(
            name,
            i => new
            {
                lab.Settings.EditGuidanceScale,
                N = lab.Settings.InnerSteps[^1],
                lab.Settings.Seed,
                lab.Settings.Strengths,
                EditOf(lab.Images[i]).Prompt,
            },
            batch =>
            {
                using DisposeScope scope = NewDisposeScope();
                using StepEmbeddings target = StepEmbeddings.Constant(lab.Model.Embed([.. batch.Images.Select(i => EditOf(i).Prompt)]));
                return compute(batch, EditExperiments.NullText(lab, batch), target);
            }
        );

    /// <summary>Per image, one point a strength.</summary>
    private static SdEditPoint[][] Curve(ExperimentLab lab, ExperimentLab.Batch batch, Func<double, Tensor> latentsAt)
    {
        SdEditPoint[][] perStrength =
        [
            .. lab.Settings.Strengths.Select(strength =>
            {
                using DisposeScope scope = NewDisposeScope();
                RgbImage[] edited = lab.Model.Decode(latentsAt(strength));
                return batch
                    .Images.Zip(edited)
                    .Select(p => new SdEditPoint(
                        strength,
                        Probability(lab, p.First, p.Second),
                        MultiScaleDistance.Of(p.First.Image, p.Second),
                        ImageFile.EncodePng(p.Second)
                    ))
                    .ToArray();
            }),
        ];
        return [.. batch.Images.Select((_, i) => perStrength.Select(s => s[i]).ToArray())];
    }

    private static PlannedEdit EditOf(ExperimentImage image) => image.Edits.Count > 0 ? image.Edits[0] : throw NoEdit(image.Name);

    internal static ArgumentException NoEdit(string image) =>
        new($"The image '{image}' has no planned edit: add prompts of edited versions below its caption, one per line.");

    private static (string Word, Func<SceneJudgement, double> Of)? WordOf(ExperimentImage image)
    {
        if (image.Scene is not { } source || EditOf(image).TargetScene is not { } target)
            return null;
        foreach (SceneObject o in target.Objects)
        {
            if (source.Objects.All(s => s.Kind != o.Kind))
                return (CaptionGrammar.Noun(o.Kind), j => j.Objects[(int)o.Kind]);
        }
        if (target.Background != source.Background)
            return (CaptionGrammar.Noun(target.Background), j => j.Backgrounds[(int)target.Background]);
        if (target.Objects[0].Colour is { } colour && colour != source.Objects[0].Colour)
            return (CaptionGrammar.Word(colour), j => j.Colours[(int)colour]);
        return null;
    }

    private static double? Probability(ExperimentLab lab, ExperimentImage image, RgbImage edited)
    {
        if (WordOf(image) is not { } word || lab.Classifier is not { } classifier)
            return null;
        using DisposeScope scope = NewDisposeScope();
        return word.Of(classifier.Judge(ImageTensor.ToPixels(edited, lab.Model.Device))[0]);
    }
}
