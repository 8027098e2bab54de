namespace NullTextResearch.Benchmarks;

/// <summary>A unit of a merged study with what became of it.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Status">What became of it.</param>
/// <param name="Record">Its result, or its error; null if it is missing, or refused before anything was computed.</param>
/// <param name="Reason">Why there is no picture; null if there is one, or if the unit is only missing.</param>
public sealed record StudyRow(StudyUnit Unit, UnitStatus Status, UnitRecord? Record, string? Reason);
