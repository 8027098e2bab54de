namespace NullTextResearch.Editing;

/// <summary>A window of its own for one word of the target prompt.</summary>
/// <param name="Word">The word, as the target prompt spells it.</param>
/// <param name="Window">Steps at which its maps are injected.</param>
public sealed record WordWindow(string Word, StepWindow Window);
