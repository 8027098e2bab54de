namespace NullTextResearch.Kernel.Engine;

/// <summary>What could stand at a place.</summary>
/// <param name="Start">First UTF-16 unit of the text to replace.</param>
/// <param name="End">Behind its last unit.</param>
/// <param name="Items">Candidates, best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<Completion> Items);
