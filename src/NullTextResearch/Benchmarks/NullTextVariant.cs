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

    /// <summary>Every variant that is compared: the baseline first.</summary>
    public static IReadOnlyList<NullTextVariant> All { get; } =
    [
        Released,
        Fixed,
        new("Adam, last prediction reused", NullTextOptions.Default with { Advance = AdvanceMode.ReuseLastInner }),
        new("Adam, at most 1", NullTextOptions.Default with { InnerSteps = 1 }),
        new("Adam, at most 2", NullTextOptions.Default with { InnerSteps = 2 }),
        new("Adam, at most 1, rate x 4", NullTextOptions.Default with { InnerSteps = 1, LearningRate = 0.04 }),
        new("Adam, 10 rows", NullTextOptions.Default with { Rows = 10 }),
        new("Adam from the prompt", NullTextOptions.Default with { Start = NullTextStart.Prompt }),
        new("line search, at most 1", NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch, InnerSteps = 1 }),
        new("line search, at most 10", NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch }),
        new("line search, 0.4 on average", NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch, UpdateBudget = 0.4 }),
        Fast,
        new("the prompt, not optimised", NullTextOptions.Fast with { InnerSteps = 0 }),
        new("not optimised", NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch, InnerSteps = 0 }),
    ];
}
