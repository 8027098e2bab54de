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
        lab.PerImage<SdEditRecord>(
            "sdedit",
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
                ExperimentImage[] images = [.. batch.Images];
                InversionResult inversion = EditExperiments.NullText(lab, batch);
                using StepEmbeddings target = StepEmbeddings.Constant(lab.Model.Embed([.. images.Select(i => EditOf(i).Prompt)]));
                using StepEmbeddings empty = StepEmbeddings.Constant(batch.Unconditional);
                List<SdEditPoint>[] plain = [.. images.Select(_ => new List<SdEditPoint>())],
                    ours = [.. images.Select(_ => new List<SdEditPoint>())];
                foreach (double strength in lab.Settings.Strengths)
                {
                    Add(plain, empty, strength);
                    Add(ours, inversion.Unconditional, strength);
                }
                return [.. images.Select((image, i) => new SdEditRecord(EditOf(image).Prompt, WordOf(image)?.Word, plain[i], ours[i]))];

                void Add(List<SdEditPoint>[] to, StepEmbeddings unconditional, double strength)
                {
                    using DisposeScope inner = NewDisposeScope();
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
                    RgbImage[] edited = lab.Model.Decode(result.Latents);
                    for (int i = 0; i < edited.Length; i++)
                        to[i]
                            .Add(
                                new SdEditPoint(
                                    strength,
                                    Probability(lab, images[i], edited[i]),
                                    MultiScaleDistance.Of(images[i].Image, edited[i]),
                                    ImageFile.EncodePng(edited[i])
                                )
                            );
                }
            }
        );

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
