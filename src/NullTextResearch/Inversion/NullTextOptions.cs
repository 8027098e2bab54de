using System.Text.Json.Serialization;

namespace NullTextResearch.Inversion;

/// <summary>Options of pivotal optimisation; defaults are the released code's.</summary>
public sealed record NullTextOptions
{
    /// <summary>The released code's options: up to 10 updates per step, decreasing learning rate, increasing stop threshold.</summary>
    public static NullTextOptions Default { get; } = new();

    /// <summary>
    /// The values printed in the paper: threshold 1e-5 and learning rate 0.01 throughout, and noise predicted at the latents' own timestep. The optimiser is
    /// still Adam and the loss a mean over elements: with a plain gradient step and a summed loss the printed numbers do not work.
    /// </summary>
    public static NullTextOptions Paper { get; } =
        new()
        {
            LearningRateFall = 0,
            EarlyStopRise = 0,
            Inversion = new DdimInversionOptions { NoiseTimestep = NoiseTimestep.Source },
        };

    /// <summary>
    /// At most a quarter of the cost of the defaults: begins every timestep with the prompt's embedding, as negative-prompt inversion does, leaves timesteps
    /// alone whose loss is below the released code's threshold, and spends at most 0.4 updates per timestep on average. What it reaches is measured by
    /// <c>nulltext methods --null-text-cost</c>.
    /// </summary>
    public static NullTextOptions Fast { get; } =
        new()
        {
            Optimiser = NullTextOptimiser.LineSearch,
            Start = NullTextStart.Prompt,
            UpdateBudget = 0.4,
        };

    /// <summary>N, the maximum number of updates per step; 0 gives plain DDIM inversion.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Adam's learning rate at the first (noisiest) step.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Share of the learning rate lost over 100 steps, for runs of up to 100 steps; see <see cref="LearningRateAt"/>.</summary>
    public double LearningRateFall { get; init; } = 1;

    /// <summary>Loss below which the first step stops.</summary>
    public double EarlyStopLoss { get; init; } = 1e-5;

    /// <summary>How much that threshold rises per step.</summary>
    public double EarlyStopRise { get; init; } = 2e-5;

    /// <summary>False runs all inner steps whatever the loss (the paper's Fig. 4).</summary>
    public bool StopEarly { get; init; } = true;

    /// <summary>How the embedding is changed (default: Adam, as released). Options that say Adam apply to it alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public NullTextOptimiser Optimiser { get; init; }

    /// <summary>The embedding with which each timestep begins (default: the last timestep's, as released).</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public NullTextStart Start { get; init; }

    /// <summary>
    /// For <see cref="NullTextOptimiser.LineSearch"/>: how many updates per timestep an image may spend on average, at least 0; what one timestep leaves, later
    /// ones may spend. Null (default) for <see cref="InnerSteps"/> at every timestep.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double? UpdateBudget { get; init; }

    /// <summary>
    /// For <see cref="NullTextOptimiser.LineSearch"/>: how many of a timestep's earlier updates shape the direction of its next one (L-BFGS: the curvature
    /// along them is remembered, Nocedal and Wright, Numerical Optimization, Algorithm 7.4). 0 (default): the negative gradient.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int Memory { get; init; }

    /// <summary>
    /// For <see cref="NullTextOptimiser.LineSearch"/>: whether a timestep tries the last change of an earlier one, as long as is best, before it asks for a
    /// gradient. That costs 1 or 2 evaluations and counts as an update.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool TryLastChange { get; init; }

    /// <summary>
    /// Share of <see cref="InnerSteps"/> that is lost from the first timestep to the last, evenly, in [0, 1]; at least one update is left. See
    /// <see cref="InnerStepsAt"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double InnerStepsFall { get; init; }

    /// <summary>Share of the timesteps, noisiest first, that are optimised, in [0, 1]; the others keep their first embedding. Null (default) for all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double? OptimisedShare { get; init; }

    /// <summary>
    /// Optimises every k-th timestep only, beginning with the noisiest; with <see cref="NullTextStart.LastStep"/> the k - 1 after it share its embedding. Null
    /// (default) for each.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int? OptimiseEvery { get; init; }

    /// <summary>Moment decays.</summary>
    public AdamOptions Adam { get; init; } = new();

    /// <summary>How the running latents advance; the default gives the released code's numbers without its redundant evaluations.</summary>
    public AdvanceMode Advance { get; init; } = AdvanceMode.Reevaluate;

    /// <summary>
    /// How many leading rows of the embedding (start-of-text first) are optimised; the others stay unchanged. Null (default) for all. Shows how much freedom
    /// the method needs.
    /// </summary>
    public int? Rows { get; init; }

    /// <summary>How the pivot is found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>
    /// Adam's learning rate at a step: LearningRate (1 - LearningRateFall i / 100), as in the released code, for runs of up to 100 steps. In longer runs that
    /// formula would reach zero and turn negative, so the rate falls to half over the whole run, as in a run of 50 steps: LearningRate (1 - LearningRateFall i
    /// / (2 T)).
    /// </summary>
    /// <param name="step">Loop index i, 0 = noisiest.</param>
    /// <param name="steps">T.</param>
    public double LearningRateAt(int step, int steps) => LearningRate * (1 - LearningRateFall * step / (steps <= 100 ? 100.0 : 2.0 * steps));

    /// <summary>Loss below which a step stops, after its update: EarlyStopLoss + i EarlyStopRise.</summary>
    /// <param name="step">Loop index i, 0 = noisiest.</param>
    public double EarlyStopLossAt(int step) => EarlyStopLoss + step * EarlyStopRise;

    /// <summary>The maximum number of updates at a step: <see cref="InnerSteps"/>, or what the options beside it leave of it.</summary>
    /// <param name="step">Loop index i, 0 = noisiest.</param>
    /// <param name="steps">T.</param>
    public int InnerStepsAt(int step, int steps)
    {
        bool left = step >= (OptimisedShare ?? 1) * steps || step % (OptimiseEvery ?? 1) != 0;
        if (left || InnerSteps == 0)
            return 0;
        double fallen = steps > 1 ? InnerStepsFall * step / (steps - 1) : 0;
        return Math.Max(1, (int)Math.Round(InnerSteps * (1 - fallen), MidpointRounding.AwayFromZero));
    }

    /// <summary>Throws one exception that names every option out of range.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public void Validate() => OptionProblems.ThrowIfAny(nameof(NullTextOptions), Problems());

    private IEnumerable<string> Problems()
    {
        if (InnerSteps < 0)
            yield return $"InnerSteps is {InnerSteps}; it must be 0 or more.";
        if (!(LearningRate > 0) || !double.IsFinite(LearningRate))
            yield return FormattableString.Invariant($"LearningRate is {LearningRate}; it must be positive.");
        if (!(LearningRateFall is >= 0 and <= 1))
            yield return FormattableString.Invariant($"LearningRateFall is {LearningRateFall}; it must lie in [0, 1].");
        if (!double.IsFinite(EarlyStopLoss))
            yield return FormattableString.Invariant($"EarlyStopLoss is {EarlyStopLoss}; it must be finite (StopEarly = false turns the stop off).");
        if (!double.IsFinite(EarlyStopRise))
            yield return FormattableString.Invariant($"EarlyStopRise is {EarlyStopRise}; it must be finite.");
        if (Rows < 1)
            yield return $"Rows is {Rows}; it must be at least 1, or null for all.";
        if (!Enum.IsDefined(Optimiser))
            yield return $"Optimiser is {Optimiser}; it must be {string.Join(" or ", Enum.GetNames<NullTextOptimiser>())}.";
        if (!Enum.IsDefined(Start))
            yield return $"Start is {Start}; it must be {string.Join(" or ", Enum.GetNames<NullTextStart>())}.";
        if (UpdateBudget is { } budget && !(budget >= 0 && double.IsFinite(budget)))
            yield return FormattableString.Invariant($"UpdateBudget is {budget}; it must be 0 or more, or null for no limit but InnerSteps.");
        if (Optimiser == NullTextOptimiser.Adam && UpdateBudget is not null)
            yield return "UpdateBudget applies to Optimiser = LineSearch; leave it out for Adam.";
        if (Memory < 0)
            yield return $"Memory is {Memory}; it must be 0 or more.";
        if (Optimiser == NullTextOptimiser.Adam && Memory > 0)
            yield return "Memory applies to Optimiser = LineSearch; leave it out for Adam.";
        if (Optimiser == NullTextOptimiser.Adam && TryLastChange)
            yield return "TryLastChange applies to Optimiser = LineSearch; leave it out for Adam.";
        if (!(InnerStepsFall is >= 0 and <= 1))
            yield return FormattableString.Invariant($"InnerStepsFall is {InnerStepsFall}; it must lie in [0, 1].");
        if (OptimisedShare is { } share && !(share is >= 0 and <= 1))
            yield return FormattableString.Invariant($"OptimisedShare is {share}; it must lie in [0, 1], or be null for all timesteps.");
        if (OptimiseEvery < 1)
            yield return $"OptimiseEvery is {OptimiseEvery}; it must be at least 1, or null for each timestep.";
        if (Optimiser == NullTextOptimiser.LineSearch && Advance != AdvanceMode.Reevaluate)
            yield return $"Advance is {Advance}; with Optimiser = LineSearch it must be Reevaluate: the final prediction is known there.";
        foreach (string problem in Inversion.Problems())
            yield return $"Inversion.{problem}";
        foreach (string problem in Adam.Problems())
            yield return problem;
    }
}
