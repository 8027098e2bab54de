namespace NullTextResearch.Inversion;

/// <summary>Why the optimisation of a step ended.</summary>
public enum StopReason
{
    /// <summary>The inner-step limit was reached.</summary>
    InnerStepLimit,

    /// <summary>The loss fell below the threshold of the step.</summary>
    EarlyStop,

    /// <summary>The method does not optimise.</summary>
    NotOptimised,
}
