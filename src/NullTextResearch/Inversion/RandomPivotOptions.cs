namespace NullTextResearch.Inversion;

/// <summary>The options of <see cref="RandomPivotInversion"/>, as its results report them.</summary>
/// <param name="Optimisation">Options of the optimisation.</param>
/// <param name="Seed">Seed of the noise.</param>
public sealed record RandomPivotOptions(NullTextOptions Optimisation, long Seed);
