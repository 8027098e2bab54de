using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Every inversion of the library, with few iterations: the one list on which laws that all must obey are run.</summary>
public static class AllInversions
{
    private static readonly NullTextOptions Few = NullTextOptions.Default with { InnerSteps = 4 };

    private static readonly Dictionary<string, Func<InversionProblem, IInversion>> Makers = new(FromTheCatalogue())
    {
        ["ddim"] = _ => new DdimInversion(),
        ["ddim w=3"] = _ => new DdimInversion(new DdimInversionOptions { GuidanceScale = 3 }),
        ["ddim source timestep"] = _ => new DdimInversion(new DdimInversionOptions { NoiseTimestep = NoiseTimestep.Source }),
        ["null-text"] = _ => new NullTextInversion(Few),
        ["null-text paper"] = _ => new NullTextInversion(NullTextOptions.Paper with { InnerSteps = 4 }),
        ["null-text fast"] = _ => new NullTextInversion(NullTextOptions.Fast with { InnerSteps = 4 }),
        ["null-text line search"] = _ => new NullTextInversion(Few with { Optimiser = NullTextOptimiser.LineSearch }),
        ["null-text early stops"] = _ => new NullTextInversion(Few with { EarlyStopLoss = 0.02 }),
        ["negative-prompt"] = _ => new NegativePromptInversion(),
        ["negative-prompt interpolated"] = _ => new NegativePromptInversion(new NegativePromptOptions { Interpolation = 0.5 }),
        ["negative-prompt proximal"] = _ => new ProximalNegativePromptInversion(),
        ["direct"] = _ => new DirectInversion(),
        ["eta"] = _ => new EtaInversion(new EtaOptions { Seed = 5 }),
        ["random caption"] = problem => new RandomCaptionInversion(problem.Conditional with { Tokens = problem.Conditional.Tokens.flip(1) }, Few),
        ["random pivot"] = _ => new RandomPivotInversion(Few, seed: 5),
        ["global"] = _ => new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = 2 }),
        ["global, fresh Adam, reusing"] = _ => new GlobalNullTextInversion(
            new GlobalNullTextOptions
            {
                InnerSteps = 2,
                FreshAdam = true,
                Advance = AdvanceMode.ReuseLastInner,
            }
        ),
        ["textual"] = _ => new TextualInversion(new TextualInversionOptions { InnerSteps = 2, Seed = 3 }),
        ["textual, from noise, prompt's path"] = _ => new TextualInversion(
            new TextualInversionOptions
            {
                InnerSteps = 2,
                Start = TextualStart.Noise,
                Path = TextualPath.InvertWithPrompt,
                Timesteps = TimestepDraw.Schedule,
            }
        ),
        ["textual with pivot"] = _ => new TextualInversionWithPivot(Few),
        ["value embeddings"] = _ => new ValueEmbeddingInversion(Few),
        ["value embeddings, line search"] = _ => new ValueEmbeddingInversion(Few with { Optimiser = NullTextOptimiser.LineSearch }),
        ["non-pivotal"] = _ => new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 2, Seed = 3 }),
        ["non-pivotal per step"] = _ => new NonPivotalInversion(
            new NonPivotalOptions
            {
                InnerSteps = 2,
                PerStep = true,
                Timesteps = TimestepDraw.Schedule,
            }
        ),
    };

    /// <summary>Every path by itself, and under null-text optimisation where it can be followed.</summary>
    private static IEnumerable<KeyValuePair<string, Func<InversionProblem, IInversion>>> FromTheCatalogue()
    {
        foreach (PathMethod path in PathCatalogue.All)
        {
            PathOptions options = path.Seeded is null ? path.Default : path.Seeded(path.Default, 5);
            if (path.StandsAlone)
                yield return new($"path {path.Id}", _ => new PathInversion(options));
            if (path.Restore is null)
                yield return new($"null-text on {path.Id}", _ => new NullTextInversion(Few with { Inversion = options }));
        }
    }

    /// <summary>Names of all configurations.</summary>
    public static IEnumerable<string> Names => Makers.Keys;

    /// <summary>Names of those that optimise an embedding.</summary>
    public static IEnumerable<string> Optimising =>
        Names.Where(n => !n.StartsWith("ddim") && !n.StartsWith("path ") && !n.StartsWith("negative") && n is not ("direct" or "eta"));

    /// <summary>Makes one; some need to know the problem. Tensors it needs live in the current dispose scope.</summary>
    public static IInversion Make(string name, InversionProblem problem) => Makers[name](problem);

    /// <summary>Reconstructs the images of a result; in the current dispose scope.</summary>
    public static Tensor Reconstruct(InversionProblem problem, InversionResult result) => Sampler.Run(problem.Predictor, problem.Grid, result.Plan);
}
