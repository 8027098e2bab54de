namespace NullTextResearch.Kernel.Engine;

/// <summary>Completions at a position.</summary>
/// <param name="Start">First UTF-16 unit of the text to replace.</param>
/// <param name="End">Index after its last unit.</param>
/// <param name="Items">Candidates, best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<Completion> Items);
