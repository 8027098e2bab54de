namespace NullTextResearch.Kernel.Engine;

/// <summary>One candidate.</summary>
/// <param name="Text">Text to insert.</param>
/// <param name="Kind">method, property, class ... in lower case.</param>
public sealed record Completion(string Text, string Kind);
