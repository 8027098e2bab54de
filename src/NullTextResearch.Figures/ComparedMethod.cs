namespace NullTextResearch.Figures;

/// <summary>A row of a comparison: a method and its edits with each editor.</summary>
/// <param name="Name">Name of the method.</param>
/// <param name="Inversion">Its inversion of the picture, or why there is none.</param>
/// <param name="Edits">One edit for each editor of the comparison, in its order; empty if the method has no inversion.</param>
public sealed record ComparedMethod(string Name, Attempt<ComparedInversion> Inversion, IReadOnlyList<Attempt<ComparedEdit>> Edits);
