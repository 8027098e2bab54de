namespace NullTextResearch.Figures;

/// <summary>A row of a comparison: a method, and its edits by each editor.</summary>
/// <param name="Name">Name of the method.</param>
/// <param name="Inversion">What it made of the picture.</param>
/// <param name="Edits">By each editor of the comparison, in its order; empty where the method made nothing.</param>
public sealed record ComparedMethod(string Name, Attempt<ComparedInversion> Inversion, IReadOnlyList<Attempt<ComparedEdit>> Edits);
