namespace NullTextResearch.Metrics;

/// <summary>Measures how uneven a map of non-negative values is, such as a word's cross-attention map.</summary>
public static class MapStatistics
{
    /// <summary>Share of the map's total in the strongest tenth of its positions.</summary>
    /// <param name="map">Non-negative values of any scale, at least one.</param>
    /// <returns>0.1 (even) to 1; 0 for a map of zeros.</returns>
    public static double Concentration(IReadOnlyCollection<float> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        float[] sorted = [.. map.OrderDescending()];
        float total = sorted.Sum();
        return total <= 0 ? 0 : sorted.Take(Math.Max(1, sorted.Length / 10)).Sum() / total;
    }

    /// <summary>Shannon entropy of the map as a distribution over its positions, in bits.</summary>
    /// <param name="map">Non-negative values of any scale, at least one.</param>
    /// <returns>0 (all at one position) to log2 of the number of positions (even). A map of zeros, which points nowhere, counts as even.</returns>
    public static double Entropy(IReadOnlyCollection<float> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        double total = map.Sum(v => (double)v);
        return total <= 0 ? Math.Log2(map.Count) : -map.Where(v => v > 0).Sum(v => v / total * Math.Log2(v / total));
    }

    /// <summary>The map divided by its mean: each value is a multiple of an even share. This makes the maps of different words comparable.</summary>
    /// <param name="map">Non-negative values of any scale, at least one.</param>
    /// <returns>The same number of values, with mean 1; zeros for a map of zeros.</returns>
    public static float[] Density(IReadOnlyCollection<float> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        double mean = map.Average(v => (double)v);
        return mean > 0 ? [.. map.Select(v => (float)(v / mean))] : new float[map.Count];
    }
}
