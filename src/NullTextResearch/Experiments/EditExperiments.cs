using NullTextResearch.Attention;
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

/// <summary>One edited version of an image.</summary>
/// <param name="Prompt">Target prompt.</param>
/// <param name="Label">What was changed.</param>
/// <param name="Png">The edited image as PNG.</param>
/// <param name="DistanceToSource"><see cref="MultiScaleDistance"/> to the input image.</param>
public sealed record EditRecord(string Prompt, string Label, byte[] Png, double DistanceToSource)
{
    /// <summary>The true result as PNG, where it is known.</summary>
    public byte[]? TruthPng { get; init; }

    /// <summary>PSNR against the true result, dB, where it is known.</summary>
    public double? PsnrToTruth { get; init; }

    /// <summary>PSNR of the unedited input against the true result, dB: what doing nothing would score.</summary>
    public double? SourcePsnrToTruth { get; init; }

    /// <summary>Whether the classifier finds the target scene's objects and background, where there is one.</summary>
    public bool? Recognised { get; init; }

    /// <summary>The edited image.</summary>
    public RgbImage Image() => ImageFile.Decode(Png);
}

/// <summary>All edits of one image, made from one inversion.</summary>
/// <param name="ReconstructionPng">What the inversion gives without an edit, as PNG.</param>
/// <param name="Psnr">Its PSNR against the input, dB.</param>
/// <param name="DdimPng">What DDIM inversion without null texts gives at the same guidance, as PNG.</param>
/// <param name="Edits">The edits.</param>
public sealed record GalleryRecord(byte[] ReconstructionPng, double Psnr, byte[] DdimPng, IReadOnlyList<EditRecord> Edits);

/// <summary>A word with growing weight.</summary>
/// <param name="Word">The word.</param>
/// <param name="Edits">One edited version per factor.</param>
public sealed record FaderRecord(string Word, IReadOnlyList<EditRecord> Edits);

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

    /// <summary>The word that the fader turns: night where it is night, else a colour, else the place; of other captions the last word.</summary>
    public static string FaderWord(ExperimentImage image) =>
        image.Scene switch
        {
            { Night: true } => "night",
            { } scene when scene.Objects[0].Colour is { } colour => CaptionGrammar.Word(colour),
            { } scene => CaptionGrammar.Noun(scene.Background),
            null => image.Caption.TrimEnd('.', ' ').Split(' ')[^1],
        };

    /// <summary>
    /// How sure the classifier is that a picture shows the word that the fader turns, 0 to 1; null without a classifier, for a word that it does not
    /// judge, and for images that are no rendered scene.
    /// </summary>
    /// <param name="lab">Its classifier.</param>
    /// <param name="image">Whose word.</param>
    /// <param name="picture">What is looked at.</param>
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

/// <summary>Where an image attends to a word.</summary>
/// <param name="Word">The word, as in the caption.</param>
/// <param name="Values">Height x Width values, row by row, 0 to 1: divided by the map's maximum.</param>
/// <param name="Concentration">Share of the attention in the strongest tenth of the pixels: 0.1 (even) to 1.</param>
public sealed record WordMap(string Word, float[] Values, double Concentration);

/// <summary>Cross-attention maps of one image.</summary>
/// <param name="Height">Rows of each map.</param>
/// <param name="Width">Columns of each map.</param>
/// <param name="NullText">Maps while the image is rebuilt by null-text inversion, one per word.</param>
/// <param name="Textual">Maps while it is rebuilt by textual inversion with a pivot.</param>
public sealed record AttentionRecord(int Height, int Width, IReadOnlyList<WordMap> NullText, IReadOnlyList<WordMap> Textual);

/// <summary>Cross-attention maps per word: Figs. 12 and 15.</summary>
public static class AttentionExperiment
{
    /// <summary>Rebuilds every image and reads the maps.</summary>
    public static IReadOnlyList<AttentionRecord> Run(ExperimentLab lab) =>
        lab.PerImage<AttentionRecord>(
            "attention",
            _ => new { lab.Settings.EditGuidanceScale, N = lab.Settings.InnerSteps[^1] },
            batch =>
            {
                InversionResult nullText = EditExperiments.NullText(lab, batch);
                InversionResult textual = lab.Inversion(
                    batch,
                    new TextualInversionWithPivot(NullTextOptions.Default with { InnerSteps = lab.Settings.InnerSteps[^1] }),
                    lab.Settings.EditGuidanceScale
                );
                (int height, int width, IReadOnlyList<WordMap>[] ours) = Maps(lab, batch, nullText);
                (_, _, IReadOnlyList<WordMap>[] theirs) = Maps(lab, batch, textual);
                return [.. ours.Select((maps, i) => new AttentionRecord(height, width, maps, theirs[i]))];
            }
        );

    private static (int Height, int Width, IReadOnlyList<WordMap>[] Maps) Maps(ExperimentLab lab, ExperimentLab.Batch batch, InversionResult inversion)
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        Sampler.Run(lab.Predictor(new StoringAttention(store)), lab.Grid, inversion.Plan, null, lab.Cancellation);
        int height = 0,
            width = 0;
        IReadOnlyList<WordMap>[] maps =
        [
            .. batch.Images.Select(
                (image, row) =>
                {
                    TokenizedPrompt prompt = lab.Model.Tokenizer.Tokenize(image.Caption).EnsureFits();
                    return (IReadOnlyList<WordMap>)
                        [
                            .. prompt.Words.Select(
                                (word, w) =>
                                {
                                    using DisposeScope inner = NewDisposeScope();
                                    Tensor map = store.AverageMap(prompt.PositionsOfWordAt(w), null, row);
                                    (height, width) = ((int)map.shape[0], (int)map.shape[1]);
                                    float[] values = map.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
                                    return new WordMap(word, values, MapStatistics.Concentration(values));
                                }
                            ),
                        ];
                }
            ),
        ];
        return (height, width, maps);
    }
}

/// <summary>One image edited by SDEdit at one strength.</summary>
/// <param name="Strength">t0.</param>
/// <param name="TargetProbability">
/// What the classifier gives the new word, 0 to 1; null where there is no classifier or the word is none of its classes.
/// </param>
/// <param name="DistanceToSource"><see cref="MultiScaleDistance"/> to the input image.</param>
/// <param name="Png">The edited image as PNG.</param>
public sealed record SdEditPoint(double Strength, double? TargetProbability, double DistanceToSource, byte[] Png);

/// <summary>SDEdit of one image, with the empty prompt and with optimised null texts.</summary>
/// <param name="Prompt">Target prompt.</param>
/// <param name="Word">The new word that the classifier looks for, or null.</param>
/// <param name="Plain">SDEdit as published.</param>
/// <param name="WithNullText">The same noise, with the image's null-text embeddings.</param>
public sealed record SdEditRecord(string Prompt, string? Word, IReadOnlyList<SdEditPoint> Plain, IReadOnlyList<SdEditPoint> WithNullText);

/// <summary>SDEdit with and without null-text inversion: Fig. 8.</summary>
public static class SdEditExperiment
{
    /// <summary>Edits every image by its first planned edit, at every strength, in both ways.</summary>
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
        new($"The image '{image}' has no edit to make: add prompts of edited versions below its caption, one a line.");

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
