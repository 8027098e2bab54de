namespace NullTextResearch.Figures.Paper;

/// <summary>A piece of work that several figures may share.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Cost">Network evaluations per image; those followed by a backward pass count three times.</param>
public readonly record struct WorkItem(string Name, double Cost);
