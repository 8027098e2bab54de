namespace NullTextResearch.Experiments;

/// <summary>Where an image attends to a word.</summary>
/// <param name="Word">The word, as in the caption.</param>
/// <param name="Values">Height x Width values, row by row, 0 to 1: divided by the map's maximum.</param>
/// <param name="Concentration">Share of the attention in the strongest tenth of the pixels: 0.1 (even) to 1.</param>
public sealed record WordMap(string Word, float[] Values, double Concentration);
