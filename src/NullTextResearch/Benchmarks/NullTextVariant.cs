using NullTextResearch.Inversion;

namespace NullTextResearch.Benchmarks;

/// <summary>One way to optimise null texts, for <see cref="NullTextCost"/>.</summary>
/// <param name="Name">Name in tables and charts, unique among those compared.</param>
/// <param name="Options">Its options.</param>
public sealed record NullTextVariant(string Name, NullTextOptions Options)
{
    /// <summary>The baseline: the released code's options, with its early stop.</summary>
    public static NullTextVariant Released { get; } = new("Adam as released", NullTextOptions.Default);

    /// <summary>The released options without early stop.</summary>
    public static NullTextVariant Fixed { get; } = new("Adam, always 10", NullTextOptions.Default with { StopEarly = false });

    /// <summary>The fast preset.</summary>
    public static NullTextVariant Fast { get; } = new("fast", NullTextOptions.Fast);

    /// <summary>A long optimisation, to see what null texts can reach: four times the released updates, without stop. For a few images.</summary>
    public static NullTextVariant Furthest { get; } = new("Adam, always 40", NullTextOptions.Default with { InnerSteps = 40, StopEarly = false });

    private static NullTextOptions Search => NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch };

    /// <summary>Every variant that is compared: the baseline first.</summary>
    public static IReadOnlyList<NullTextVariant> All { get; } =
    [
        Released,
        Fixed,
        new("Adam, last prediction reused", NullTextOptions.Default with { Advance = AdvanceMode.ReuseLastInner }),
        new("Adam, at most 1", NullTextOptions.Default with { InnerSteps = 1 }),
        new("Adam, at most 2", NullTextOptions.Default with { InnerSteps = 2 }),
        new("Adam, at most 1, rate x 4", NullTextOptions.Default with { InnerSteps = 1, LearningRate = 0.04 }),
        new("Adam, 10 falling to 1", NullTextOptions.Default with { InnerStepsFall = 0.9 }),
        new("Adam, first half of the timesteps", NullTextOptions.Default with { OptimisedShare = 0.5 }),
        new("Adam, every fourth timestep", NullTextOptions.Default with { OptimiseEvery = 4 }),
        new("Adam, 10 rows", NullTextOptions.Default with { Rows = 10 }),
        new("Adam from the prompt", NullTextOptions.Default with { Start = NullTextStart.Prompt }),
        new("line search, at most 1", Search with { InnerSteps = 1 }),
        new("line search, at most 10", Search),
        new("line search, 0.4 on average", Search with { UpdateBudget = 0.4 }),
        new("L-BFGS, at most 10", Search with { Memory = 5 }),
        new("last change first, at most 2", Search with { TryLastChange = true, InnerSteps = 2 }),
        new("last change first, 0.8 on average", Search with { TryLastChange = true, UpdateBudget = 0.8 }),
        Fast,
        new("fast, last change first", NullTextOptions.Fast with { TryLastChange = true, UpdateBudget = 0.8 }),
        new("fast, first half of the timesteps", NullTextOptions.Fast with { OptimisedShare = 0.5, UpdateBudget = 0.8 }),
        new("the prompt, not optimised", NullTextOptions.Fast with { InnerSteps = 0 }),
        new("not optimised", Search with { InnerSteps = 0 }),
    ];
}
