namespace NullTextResearch.Editing;

/// <summary>A multiplier for the attention that one word gets.</summary>
/// <param name="Word">The word, as spelled in the target prompt.</param>
/// <param name="Factor">1 changes nothing, a larger value strengthens the word, a smaller one weakens it, a negative one inverts it.</param>
public sealed record WordFactor(string Word, double Factor);
