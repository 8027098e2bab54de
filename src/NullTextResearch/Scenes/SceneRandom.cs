namespace NullTextResearch.Scenes;

/// <summary>
/// A tiny pseudo-random stream (SplitMix64) whose numbers are the same on every machine and every runtime,
/// so a scene seed always means the same scene.
/// </summary>
/// <remarks>Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. Not for cryptography.</remarks>
public sealed class SceneRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;
    private ulong _state;

    /// <summary>Starts a stream.</summary>
    /// <param name="seed">Any number; nearby seeds give unrelated streams.</param>
    public SceneRandom(long seed) => _state = Mix(unchecked((ulong)seed));

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits()
    {
        unchecked
        {
            _state += Golden;
            return Mix(_state);
        }
    }

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="low">Lower end, inclusive.</param>
    /// <param name="high">Upper end, never reached unless it equals <paramref name="low"/>.</param>
    public double Range(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>An integer in [0, <paramref name="count"/>).</summary>
    /// <param name="count">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public int Index(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)(NextDouble() * count);
    }

    /// <summary>True with the given probability; always draws one number.</summary>
    /// <param name="probability">0 (never) to 1 (always).</param>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>One element, all equally likely.</summary>
    /// <typeparam name="T">Element type.</typeparam>
    /// <param name="choices">At least one element.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="choices"/> is empty.</exception>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Index(choices.Count)];

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }
}
