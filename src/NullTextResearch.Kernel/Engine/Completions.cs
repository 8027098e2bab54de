namespace NullTextResearch.Kernel.Engine;

/// <summary>What could stand at a place.</summary>
/// <param name="Start">First UTF-16 unit of the text to replace.</param>
/// <param name="End">Behind its last unit.</param>
/// <param name="Items">Candidates, best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<Completion> Items);

/// <summary>One candidate.</summary>
/// <param name="Text">To be inserted.</param>
/// <param name="Kind">method, property, class ... in lower case.</param>
public sealed record Completion(string Text, string Kind);

/// <summary>Whether a console should run the text or ask for more.</summary>
/// <param name="Status">complete, incomplete or invalid, as Jupyter says.</param>
/// <param name="Indent">Where it is incomplete: how the next line should begin.</param>
public sealed record Completeness(string Status, string Indent);
