namespace NullTextResearch.Experiments;

/// <summary>Work done so far.</summary>
/// <param name="Evaluations">Network evaluations.</param>
/// <param name="Work">The same, but evaluations followed by a backward pass count three times.</param>
public readonly record struct ExperimentProgress(long Evaluations, double Work);
