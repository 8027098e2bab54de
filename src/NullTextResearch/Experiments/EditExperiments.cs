using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;
using NullTextResearch.Text;
using NullTextResearch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>Prompt-to-prompt edits of inverted images: Figs. 1, 2, 5 and 10.</summary>
public static class EditExperiments
{
    /// <summary>Every planned edit of every image, from one inversion each.</summary>
    public static IReadOnlyList<GalleryRecord> Gallery(ExperimentLab lab) =>
        lab.PerImage<GalleryRecord>(
            "gallery",
            i => new
            {
                lab.Settings.EditGuidanceScale,
                N = lab.Settings.InnerSteps[^1],
                lab.Settings.CrossReplace,
                lab.Settings.SelfReplace,
                Edits = lab.Images[i]
                    .Edits.Select(e => new
                    {
                        e.Prompt,
                        e.SourceBlendWord,
                        e.TargetBlendWord,
                    }),
            },
            batch =>
            {
                using DisposeScope scope = NewDisposeScope();
                double w = lab.Settings.EditGuidanceScale;
                InversionResult inversion = NullText(lab, batch);
                RgbImage[] plain = lab.Model.Decode(Sampler.Run(lab.Predictor(), lab.Grid, inversion.Plan, null, lab.Cancellation));
                InversionResult ddim = lab.Inversion(batch, new DdimInversion(), w);
                RgbImage[] baseline = lab.Model.Decode(Sampler.Run(lab.Predictor(), lab.Grid, ddim.Plan, null, lab.Cancellation));
                IReadOnlyList<IReadOnlyList<EditRecord>> edits = Edit(lab, batch, inversion, image => [.. image.Edits.Select(e => (Target(lab, image, e), e))]);
                return
                [
                    .. batch.Images.Select(
                        (image, i) =>
                            new GalleryRecord(ImageFile.EncodePng(plain[i]), Psnr.Of(image.Image, plain[i]), ImageFile.EncodePng(baseline[i]), edits[i])
                    ),
                ];
            }
        );

    /// <summary>One word of every caption, weighted by each of the factors.</summary>
    public static IReadOnlyList<FaderRecord> Fader(ExperimentLab lab) =>
        lab.PerImage<FaderRecord>(
            "fader",
            i => new
            {
                lab.Settings.EditGuidanceScale,
                N = lab.Settings.InnerSteps[^1],
                lab.Settings.CrossReplace,
                lab.Settings.SelfReplace,
                lab.Settings.Factors,
                Word = FaderWord(lab.Images[i]),
            },
            batch =>
            {
                using DisposeScope scope = NewDisposeScope();
                IReadOnlyList<IReadOnlyList<EditRecord>> edits = Edit(
                    lab,
                    batch,
                    NullText(lab, batch),
                    image =>
                        [
                            .. lab.Settings.Factors.Select(f =>
                                (
                                    new EditTarget
                                    {
                                        Prompt = lab.Model.Tokenizer.Tokenize(image.Caption).EnsureFits(),
                                        Edit = ReWeight.Of([FaderWord(image)], [f]),
                                        CrossReplace = CrossReplaceSchedule.Until(lab.Settings.CrossReplace),
                                        SelfReplace = StepWindow.Until(lab.Settings.SelfReplace),
                                    },
                                    new PlannedEdit(image.Caption, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"x {f}"))
                                )
                            ),
                        ]
                );
                return [.. batch.Images.Select((image, i) => new FaderRecord(FaderWord(image), edits[i]))];
            }
        );

    /// <summary>
    /// The word that the fader re-weights: "night" in night scenes, otherwise the colour, otherwise the place; the last word of captions without a scene.
    /// </summary>
    public static string FaderWord(ExperimentImage image) =>
        image.Scene switch
        {
            { Night: true } => "night",
            { } scene when scene.Objects[0].Colour is { } colour => CaptionGrammar.Word(colour),
            { } scene => CaptionGrammar.Noun(scene.Background),
            null => image.Caption.TrimEnd('.', ' ').Split(' ')[^1],
        };

    /// <summary>
    /// The classifier's confidence that a picture shows the fader's word, 0 to 1; null without a classifier, for a word that it does not judge, and for images
    /// that are not rendered scenes.
    /// </summary>
    /// <param name="lab">The lab with the classifier.</param>
    /// <param name="image">The image whose word is judged.</param>
    /// <param name="picture">The picture to judge.</param>
    public static double? FaderBelief(ExperimentLab lab, ExperimentImage image, RgbImage picture)
    {
        if (image.Scene is not { } scene || lab.Classifier is not { } classifier)
            return null;
        using DisposeScope scope = NewDisposeScope();
        SceneJudgement seen = classifier.Judge(ImageTensor.ToPixels(picture, lab.Model.Device))[0];
        if (scene.Night)
            return seen.Nights.Count > 0 ? seen.Nights[1] : null;
        return scene.Objects[0].Colour is { } colour
            ? (seen.ColoursOf.GetValueOrDefault(scene.Objects[0].Kind) ?? seen.Colours)[(int)colour]
            : seen.Backgrounds[(int)scene.Background];
    }

    /// <summary>Null-text inversion for edits, at their guidance; shared by the experiments of a run.</summary>
    internal static InversionResult NullText(ExperimentLab lab, ExperimentLab.Batch batch) =>
        lab.Inversion(
            batch,
            new NullTextInversion(NullTextOptions.Default with { InnerSteps = lab.Settings.InnerSteps[^1], Rows = lab.Settings.OptimisedRows }),
            lab.Settings.EditGuidanceScale
        );

    private static EditTarget Target(ExperimentLab lab, ExperimentImage image, PlannedEdit edit)
    {
        TokenizedPrompt source = lab.Model.Tokenizer.Tokenize(image.Caption).EnsureFits(),
            target = lab.Model.Tokenizer.Tokenize(edit.Prompt).EnsureFits();
        return new EditTarget
        {
            Prompt = target,
            Edit = PromptEdit.Between(source, target),
            CrossReplace = CrossReplaceSchedule.Until(lab.Settings.CrossReplace),
            SelfReplace = StepWindow.Until(lab.Settings.SelfReplace),
            Blend = edit.SourceBlendWord is { } from && edit.TargetBlendWord is { } to ? new LocalBlend { SourceWords = [from], TargetWords = [to] } : null,
        };
    }

    private static IReadOnlyList<IReadOnlyList<EditRecord>> Edit(
        ExperimentLab lab,
        ExperimentLab.Batch batch,
        InversionResult inversion,
        Func<ExperimentImage, IReadOnlyList<(EditTarget Target, PlannedEdit Plan)>> targets
    )
    {
        ExperimentImage[] images = [.. batch.Images];
        IReadOnlyList<(EditTarget Target, PlannedEdit Plan)>[] all = [.. images.Select(targets)];
        if (all.Any(t => t.Count == 0))
        {
            string name = images[Array.FindIndex(all, t => t.Count == 0)].Name;
            throw SdEditExperiment.NoEdit(name);
        }
        EditSession session = new(prompts => lab.Model.Embed(prompts), lab.Predictor, lab.Grid);
        using EditResult result = session.Edit(
            inversion,
            [
                .. images.Select(
                    (image, i) =>
                        new ImageEdit { Source = lab.Model.Tokenizer.Tokenize(image.Caption).EnsureFits(), Targets = [.. all[i].Select(t => t.Target)] }
                ),
            ],
            cancellation: lab.Cancellation
        );
        RgbImage[] decoded = lab.Model.Decode(result.Latents);
        return
        [
            .. images.Select(
                (image, i) =>
                    (IReadOnlyList<EditRecord>)
                        [
                            .. all[i]
                                .Select(
                                    (t, j) =>
                                    {
                                        RgbImage edited = decoded[result.Row(i, j)];
                                        return new EditRecord(
                                            t.Plan.Prompt,
                                            t.Plan.Label,
                                            ImageFile.EncodePng(edited),
                                            MultiScaleDistance.Of(image.Image, edited)
                                        )
                                        {
                                            TruthPng = t.Plan.Truth is { } truth ? ImageFile.EncodePng(truth) : null,
                                            PsnrToTruth = t.Plan.Truth is { } known ? Psnr.Of(known, edited) : null,
                                            SourcePsnrToTruth = t.Plan.Truth is { } real ? Psnr.Of(real, image.Image) : null,
                                            Recognised = t.Plan.TargetScene is { } scene ? Recognises(lab, edited, scene) : null,
                                        };
                                    }
                                ),
                        ]
            ),
        ];
    }

    private static bool? Recognises(ExperimentLab lab, RgbImage image, SceneDescription scene)
    {
        if (lab.Classifier is not { } classifier)
            return null;
        using DisposeScope scope = NewDisposeScope();
        SceneJudgement seen = classifier.Judge(ImageTensor.ToPixels(image, lab.Model.Device))[0];
        return seen.ObjectsAgree(scene) && seen.Background == scene.Background;
    }
}
