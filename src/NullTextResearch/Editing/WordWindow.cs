namespace NullTextResearch.Editing;

/// <summary>A separate window for one word of the target prompt.</summary>
/// <param name="Word">The word, as spelled in the target prompt.</param>
/// <param name="Window">Steps at which its maps are injected.</param>
public sealed record WordWindow(string Word, StepWindow Window);
