namespace NullTextResearch.Training;

/// <summary>One line of an evaluation.</summary>
/// <param name="Measure">What was measured.</param>
/// <param name="Value">The result as text, with its unit.</param>
/// <param name="Bar">The target as text; empty if there is none.</param>
/// <param name="Met">Whether the target is met; null if there is none.</param>
public sealed record EvaluationRow(string Measure, string Value, string Bar, bool? Met);
