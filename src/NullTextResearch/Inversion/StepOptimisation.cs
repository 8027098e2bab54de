namespace NullTextResearch.Inversion;

/// <summary>What the optimisation of one image did at one step.</summary>
/// <param name="Losses">
/// Loss at each inner step, before its update. With <see cref="NullTextOptimiser.LineSearch"/>: the loss with which the step began, then that after
/// each update.
/// </param>
/// <param name="Stop">Why it ended.</param>
public sealed record StepOptimisation(IReadOnlyList<double> Losses, StopReason Stop);
