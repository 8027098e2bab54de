namespace NullTextResearch.Benchmarks;

/// <summary>Numbers of a study as text cells.</summary>
/// <param name="Columns">Column names.</param>
/// <param name="Rows">One cell per column; empty where there is no value.</param>
public sealed record StudyTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);
