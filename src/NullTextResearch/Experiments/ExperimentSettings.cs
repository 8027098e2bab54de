namespace NullTextResearch.Experiments;

/// <summary>Size of the experiments. The defaults run the main experiments in half an hour on two cores with sd-mini.</summary>
public sealed record ExperimentSettings
{
    /// <summary>Every experiment at a small size; takes minutes.</summary>
    public static ExperimentSettings Quick { get; } =
        new()
        {
            Steps = 20,
            InnerSteps = [1, 3, 10],
            GlobalPasses = [1, 3, 10, 15],
            InversionGuidance = [1, 2, 4, 6, 8],
            Strengths = [0.2, 0.4, 0.6, 0.8],
        };

    /// <summary>The default.</summary>
    public static ExperimentSettings Default { get; } = new();

    /// <summary>The grid of the paper's Fig. 4.</summary>
    public static ExperimentSettings Paper { get; } =
        new() { InnerSteps = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20], GlobalPasses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 50, 150] };

    /// <summary>T.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>N, inner iterations per timestep; increasing.</summary>
    public IReadOnlyList<int> InnerSteps { get; init; } = [1, 2, 3, 5, 10];

    /// <summary>N of the global variant, whose curve continues further; increasing, includes <see cref="InnerSteps"/>.</summary>
    public IReadOnlyList<int> GlobalPasses { get; init; } = [1, 2, 3, 5, 10, 20, 50];

    /// <summary>w of reconstructions.</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>w of edits, as documented by the model.</summary>
    public double EditGuidanceScale { get; init; } = 7.5;

    /// <summary>Guidance scales of the inversion (Fig. 9); the first is 1.</summary>
    public IReadOnlyList<double> InversionGuidance { get; init; } = [1, 2, 3, 4, 5, 6, 7, 8];

    /// <summary>t0 of SDEdit (Fig. 8), shares of T.</summary>
    public IReadOnlyList<double> Strengths { get; init; } = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>Factors of the re-weighting fader (Fig. 5).</summary>
    public IReadOnlyList<double> Factors { get; init; } = [-2, 0, 1, 2, 4, 8];

    /// <summary>Share of the steps with injected cross-attention maps.</summary>
    public double CrossReplace { get; init; } = 0.8;

    /// <summary>Share of the steps with injected self-attention.</summary>
    public double SelfReplace { get; init; } = 0.4;

    /// <summary>
    /// Leading rows of the null text that null-text inversion and its per-timestep or pivot-free variants may change
    /// (<see cref="Inversion.NullTextOptions.Rows"/>); null for all.
    /// </summary>
    public int? OptimisedRows { get; init; }

    /// <summary>
    /// Adam's learning rate for the variants without a pivot, textual inversion and non-pivotal null-text. The paper states none.
    /// </summary>
    public double UnpivotedRate { get; init; } = new Inversion.NonPivotalOptions().LearningRate;

    /// <summary>Where textual inversion starts. The paper does not say.</summary>
    public Inversion.TextualStart TextualStart { get; init; }

    /// <summary>Seed of all noise.</summary>
    public long Seed { get; init; }

    /// <summary>Maximum number of images per forward pass.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Checks the settings.</summary>
    /// <exception cref="ArgumentException">Something is out of range; every problem is named.</exception>
    public void Validate()
    {
        List<string> problems = [];
        if (Steps is < 1 or > 999)
            problems.Add($"Steps is {Steps}; it must lie in 1..999");
        if (OptimisedRows < 1)
            problems.Add($"OptimisedRows is {OptimisedRows}; it must be at least 1, or null for all");
        if (!(UnpivotedRate > 0) || !double.IsFinite(UnpivotedRate))
            problems.Add(FormattableString.Invariant($"UnpivotedRate is {UnpivotedRate}; it must be positive"));
        if (BatchSize < 1)
            problems.Add($"BatchSize is {BatchSize}; it must be at least 1");
        if (InnerSteps.Count == 0 || InnerSteps[0] < 1 || InnerSteps.Zip(InnerSteps.Skip(1)).Any(p => p.First >= p.Second))
            problems.Add($"InnerSteps are {string.Join(", ", InnerSteps)}; they must be positive and increasing");
        if (InnerSteps.Except(GlobalPasses).Any() || GlobalPasses.Zip(GlobalPasses.Skip(1)).Any(p => p.First >= p.Second))
            problems.Add("GlobalPasses must include all InnerSteps and be increasing");
        if (InversionGuidance.Count == 0 || InversionGuidance[0] != 1)
            problems.Add("InversionGuidance must begin with 1");
        if (Strengths.Any(s => s is not (>= 0 and <= 1)))
            problems.Add("Strengths must lie in 0..1");
        if (problems.Count > 0)
            throw new ArgumentException($"The experiment settings are invalid: {string.Join("; ", problems)}.");
    }
}
