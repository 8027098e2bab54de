namespace NullTextResearch.Kernel.Engine;

/// <summary>Whether a console should run the text or ask for more.</summary>
/// <param name="Status">complete, incomplete or invalid, in Jupyter's terms.</param>
/// <param name="Indent">If incomplete: the indentation of the next line.</param>
public sealed record Completeness(string Status, string Indent);
