namespace NullTextResearch.Kernel.Engine;

/// <summary>Whether a console should run the text or ask for more.</summary>
/// <param name="Status">complete, incomplete or invalid, as Jupyter says.</param>
/// <param name="Indent">Where it is incomplete: how the next line should begin.</param>
public sealed record Completeness(string Status, string Indent);
