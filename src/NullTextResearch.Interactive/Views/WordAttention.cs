using NullTextResearch.Metrics;

namespace NullTextResearch.Interactive;

/// <summary>Where a picture attends to one word of its prompt.</summary>
/// <param name="Word">The word.</param>
/// <param name="Values">Height x Width values, row by row, 0 to 1, normalised by the map's maximum.</param>
public sealed record WordAttention(string Word, float[] Values)
{
    /// <summary>Share of the attention in the strongest tenth of the pixels: 0.1 (uniform) to 1.</summary>
    public double Concentration => MapStatistics.Concentration(Values);

    /// <summary>Entropy of the map in bits: 0 (all in one pixel) to log2 of the number of pixels (uniform).</summary>
    public double Entropy => MapStatistics.Entropy(Values);
}
