namespace NullTextResearch.Training;

/// <summary>One line of an evaluation.</summary>
/// <param name="Measure">What was measured.</param>
/// <param name="Value">The number, as text with unit.</param>
/// <param name="Bar">The bar, as text, or empty where there is none.</param>
/// <param name="Met">Whether the bar is met; null where there is none.</param>
public sealed record EvaluationRow(string Measure, string Value, string Bar, bool? Met);
