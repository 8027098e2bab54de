namespace NullTextResearch.Experiments;

/// <summary>A word with growing weight.</summary>
/// <param name="Word">The word.</param>
/// <param name="Edits">One edited version per factor.</param>
public sealed record FaderRecord(string Word, IReadOnlyList<EditRecord> Edits);
