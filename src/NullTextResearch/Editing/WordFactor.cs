namespace NullTextResearch.Editing;

/// <summary>A multiplier for the attention that one word gets.</summary>
/// <param name="Word">The word, as the target prompt spells it.</param>
/// <param name="Factor">1 changes nothing, more strengthens the word, less weakens it, negative turns against it.</param>
public sealed record WordFactor(string Word, double Factor);
