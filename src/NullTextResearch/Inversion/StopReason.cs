namespace NullTextResearch.Inversion;

/// <summary>Why the optimisation of a step ended.</summary>
public enum StopReason
{
    /// <summary>The limit of inner steps was reached, or the budget of updates was spent.</summary>
    InnerStepLimit,

    /// <summary>The loss fell below the threshold of the step.</summary>
    EarlyStop,

    /// <summary>The method does not optimise.</summary>
    NotOptimised,

    /// <summary>No step along the gradient lowered the loss.</summary>
    NoDescent,
}
