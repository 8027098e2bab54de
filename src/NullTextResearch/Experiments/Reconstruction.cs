using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>Reconstructions by all methods: Figs. 4, 13 and 14, and the tables.</summary>
public static class Reconstruction
{
    /// <summary>The methods of Fig. 4, in its order.</summary>
    public static IReadOnlyList<ReconstructionMethod> Fig4 { get; } =
    [
        ReconstructionMethod.NullText,
        ReconstructionMethod.RandomCaption,
        ReconstructionMethod.GlobalNullText,
        ReconstructionMethod.RandomPivot,
        ReconstructionMethod.TextualInversion,
    ];

    /// <summary>Name of a method, as in charts and tables.</summary>
    public static string NameOf(ReconstructionMethod method) =>
        method switch
        {
            ReconstructionMethod.Ddim => "DDIM inversion",
            ReconstructionMethod.NullText => "null-text",
            ReconstructionMethod.RandomCaption => "random caption",
            ReconstructionMethod.GlobalNullText => "global null-text",
            ReconstructionMethod.RandomPivot => "random pivot",
            ReconstructionMethod.TextualInversion => "textual inversion",
            ReconstructionMethod.NonPivotal => "non-pivotal",
            ReconstructionMethod.TextualInversionWithPivot => "textual inversion with a pivot",
            ReconstructionMethod.NegativePrompt => "negative prompt",
            ReconstructionMethod.DirectInversion => "direct inversion",
            _ => throw new ArgumentOutOfRangeException(nameof(method), method, "Not a method."),
        };

    /// <summary>Whether a method takes gradient steps.</summary>
    public static bool Optimises(ReconstructionMethod method) =>
        method is not (ReconstructionMethod.Ddim or ReconstructionMethod.NegativePrompt or ReconstructionMethod.DirectInversion);

    /// <summary>Work of <see cref="Run"/> per image, from the costs that the catalogue states, with the sampling that follows an inversion.</summary>
    /// <param name="steps">T.</param>
    /// <param name="method">Method.</param>
    /// <param name="innerSteps">N, increasing; ignored by methods that do not optimise.</param>
    /// <returns>Network evaluations; those that are followed by a backward pass count three times.</returns>
    public static double WorkOf(int steps, ReconstructionMethod method, IReadOnlyList<int> innerSteps)
    {
        InversionMethod entry = InversionCatalogue.Find(IdOf(method));
        double sampling = 2 * steps;
        double Cost(int count)
        {
            MethodCost cost = entry.Cost(steps, count);
            return cost.Forwards + (2 * cost.Backwards);
        }

        return method switch
        {
            ReconstructionMethod.Ddim or ReconstructionMethod.NegativePrompt or ReconstructionMethod.DirectInversion => Cost(0) + sampling,
            ReconstructionMethod.GlobalNullText or ReconstructionMethod.NonPivotal => Cost(innerSteps[^1]) + (innerSteps.Count * sampling),
            // Each result climbs the path with the prompt as optimised so far.
            ReconstructionMethod.TextualInversion => Cost(innerSteps[^1]) + ((innerSteps.Count - 1) * steps) + (innerSteps.Count * sampling),
            _ => innerSteps.Sum(Cost),
        };
    }

    private static string IdOf(ReconstructionMethod method) =>
        method switch
        {
            ReconstructionMethod.Ddim => "ddim",
            ReconstructionMethod.NullText or ReconstructionMethod.RandomCaption => "null-text",
            ReconstructionMethod.GlobalNullText => "global",
            ReconstructionMethod.RandomPivot => "random-pivot",
            ReconstructionMethod.TextualInversion => "textual",
            ReconstructionMethod.NonPivotal => "non-pivotal",
            ReconstructionMethod.TextualInversionWithPivot => "textual-pivot",
            ReconstructionMethod.NegativePrompt => "npi",
            ReconstructionMethod.DirectInversion => "direct",
            _ => throw new ArgumentOutOfRangeException(nameof(method), method, "Not a method."),
        };

    /// <summary>decode(encode(image)): the upper bound of every method.</summary>
    public static IReadOnlyList<ReconstructionRecord> Bound(ExperimentLab lab) =>
        lab.PerImage("bound", _ => "", batch => Records(lab, batch, batch.Latents, 0, null));

    /// <summary>
    /// Reconstructs every image for every number of inner iterations. Variants with one embedding per timestep need a run for each; for the others, one run
    /// covers all.
    /// </summary>
    /// <param name="lab">Model, images, settings.</param>
    /// <param name="method">Method.</param>
    /// <param name="innerSteps">N, increasing; ignored by methods that do not optimise.</param>
    /// <returns>Per N, per image. No early stopping, as in the paper's Fig. 4.</returns>
    public static IReadOnlyList<IReadOnlyList<ReconstructionRecord>> Run(ExperimentLab lab, ReconstructionMethod method, IReadOnlyList<int> innerSteps)
    {
        ExperimentSettings s = lab.Settings;
        string name = $"reconstruct-{NameOf(method).Replace(' ', '-')}";
        // Results at the default rate keep the keys that they had before it could be chosen.
        bool other =
            method is (ReconstructionMethod.TextualInversion or ReconstructionMethod.NonPivotal) && s.UnpivotedRate != new ExperimentSettings().UnpivotedRate;
        object Options(int image, object counts)
        {
            object own = new
            {
                s.GuidanceScale,
                counts,
                Seed = UsesSeed(method) ? s.Seed : 0,
                Caption = method == ReconstructionMethod.RandomCaption ? OtherCaption(lab, image) : null,
            };
            object rated = other ? new { own, s.UnpivotedRate } : own;
            return method == ReconstructionMethod.TextualInversion && s.TextualStart != TextualStart.Prompt ? new { rated, s.TextualStart } : rated;
        }

        if (!Optimises(method))
            return [lab.PerImage(name, i => Options(i, 0), batch => Invert(lab, batch, method, [0])[0])];
        if (Make(lab, method, 1, null) is IAnyTimeInversion)
        {
            IReadOnlyList<ReconstructionRecord[]> all = lab.PerImage(
                name,
                i => Options(i, innerSteps),
                batch =>
                {
                    IReadOnlyList<IReadOnlyList<ReconstructionRecord>> perCount = Invert(lab, batch, method, innerSteps);
                    return (IReadOnlyList<ReconstructionRecord[]>)
                        [.. Enumerable.Range(0, batch.Indices.Count).Select(i => perCount.Select(c => c[i]).ToArray())];
                }
            );
            return [.. innerSteps.Select((_, n) => (IReadOnlyList<ReconstructionRecord>)[.. all.Select(a => a[n])])];
        }
        return [.. innerSteps.Select(n => lab.PerImage(name, i => Options(i, n), batch => Invert(lab, batch, method, [n])[0]))];
    }

    /// <summary>The caption that the "random caption" variant gives an image: another image's, drawn by seed.</summary>
    public static string OtherCaption(ExperimentLab lab, int image)
    {
        string own = lab.Images[image].Caption;
        string[] others = [.. lab.AllImages.Select(i => i.Caption).Where(c => c != own).Distinct()];
        if (others.Length > 0)
            return others[(int)((ulong)(lab.Images[image].Key + lab.Settings.Seed) % (ulong)others.Length)];
        // A set of one image: the caption of a scene that is not in it.
        return Enumerable.Range(0, 100).Select(i => ToyScenes.Sample(lab.Settings.Seed + 10_000 + i, SceneSplit.HeldOut).Caption).First(c => c != own);
    }

    private static bool UsesSeed(ReconstructionMethod method) =>
        method is ReconstructionMethod.RandomPivot or ReconstructionMethod.TextualInversion or ReconstructionMethod.NonPivotal;

    private static IInversion Make(ExperimentLab lab, ReconstructionMethod method, int innerSteps, Conditioning? captions)
    {
        NullTextOptions options = NullTextOptions.Default with { InnerSteps = innerSteps, StopEarly = false, Rows = lab.Settings.OptimisedRows };
        long seed = lab.Settings.Seed;
        return method switch
        {
            ReconstructionMethod.Ddim => new DdimInversion(),
            ReconstructionMethod.NullText => new NullTextInversion(options),
            ReconstructionMethod.RandomCaption => new RandomCaptionInversion(captions!, options),
            ReconstructionMethod.GlobalNullText => new GlobalNullTextInversion(),
            ReconstructionMethod.RandomPivot => new RandomPivotInversion(options, seed),
            ReconstructionMethod.TextualInversion => new TextualInversion(
                new TextualInversionOptions
                {
                    Seed = seed,
                    LearningRate = lab.Settings.UnpivotedRate,
                    Start = lab.Settings.TextualStart,
                }
            ),
            ReconstructionMethod.NonPivotal => new NonPivotalInversion(
                new NonPivotalOptions
                {
                    Seed = seed,
                    Rows = lab.Settings.OptimisedRows,
                    LearningRate = lab.Settings.UnpivotedRate,
                }
            ),
            ReconstructionMethod.TextualInversionWithPivot => new TextualInversionWithPivot(options with { Rows = null }),
            ReconstructionMethod.NegativePrompt => new NegativePromptInversion(),
            ReconstructionMethod.DirectInversion => new DirectInversion(),
            _ => throw new ArgumentOutOfRangeException(nameof(method), method, "Not a method."),
        };
    }

    private static IReadOnlyList<IReadOnlyList<ReconstructionRecord>> Invert(
        ExperimentLab lab,
        ExperimentLab.Batch batch,
        ReconstructionMethod method,
        IReadOnlyList<int> innerSteps
    )
    {
        using DisposeScope scope = NewDisposeScope();
        Conditioning? captions = method == ReconstructionMethod.RandomCaption ? lab.Model.Embed([.. batch.Indices.Select(i => OtherCaption(lab, i))]) : null;
        InversionProblem problem = batch.Problem(lab.Settings.GuidanceScale);
        IInversion inversion = Make(lab, method, innerSteps[0], captions);
        IReadOnlyList<InversionResult> results = inversion is IAnyTimeInversion anyTime
            ? anyTime.InvertAnyTime(problem, [.. innerSteps.Select(n => n * lab.Grid.Steps)], null, lab.Cancellation)
            : [inversion.Invert(problem, null, lab.Cancellation)];
        try
        {
            return
            [
                .. results.Select(
                    (result, n) =>
                    {
                        using DisposeScope inner = NewDisposeScope();
                        Tensor latents = result.Reconstruction is { } known
                            ? known.alias()
                            : Sampler.Run(lab.Predictor(), lab.Grid, result.Plan, null, lab.Cancellation);
                        return Records(lab, batch, latents, Optimises(method) ? innerSteps[n] : 0, result);
                    }
                ),
            ];
        }
        finally
        {
            foreach (InversionResult result in results)
                result.Dispose();
        }
    }

    private static IReadOnlyList<ReconstructionRecord> Records(
        ExperimentLab lab,
        ExperimentLab.Batch batch,
        Tensor latents,
        int innerSteps,
        InversionResult? result
    )
    {
        RgbImage[] decoded = lab.Model.Decode(latents);
        return
        [
            .. batch.Images.Select(
                (image, i) =>
                    new ReconstructionRecord
                    {
                        InnerSteps = innerSteps,
                        Psnr = Psnr.Of(image.Image, decoded[i]),
                        Png = ImageFile.EncodePng(decoded[i]),
                        Evaluations = result?.EvaluationsPerImage ?? 0,
                        Backwards = result?.BackwardsPerImage ?? 0,
                        Seconds = (result?.Elapsed.TotalSeconds ?? 0) / decoded.Length,
                    }
            ),
        ];
    }
}
