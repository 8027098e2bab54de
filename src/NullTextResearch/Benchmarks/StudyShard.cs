using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// One of n parts of a study that can be computed at the same time, on different machines. A unit falls to a shard by the key of its inversion, so that all
/// units that share an inversion fall to the same one; n may change between runs.
/// </summary>
public sealed record StudyShard
{
    /// <summary>A part.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="count">n, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public StudyShard(int index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
        (Index, Count) = (index, count);
    }

    /// <summary>The whole study.</summary>
    public static StudyShard Whole { get; } = new(0, 1);

    /// <summary>Which part, from 0.</summary>
    public int Index { get; }

    /// <summary>How many parts there are.</summary>
    public int Count { get; }

    /// <summary>Parses <c>i/n</c>, with i from 0 to n - 1.</summary>
    /// <param name="text">The text.</param>
    /// <param name="shard">The shard.</param>
    /// <returns>False if the text is not a shard.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out StudyShard? shard)
    {
        shard = null;
        if (
            text?.Split('/') is not { Length: 2 } parts
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
            || index >= count
        )
            return false;
        shard = new StudyShard(index, count);
        return true;
    }

    /// <summary>Whether a unit falls to this part.</summary>
    /// <param name="unit">Any unit.</param>
    public bool Takes(StudyUnit unit) => Takes(unit.InversionKey.Hash);

    /// <summary>Whether something falls to this part.</summary>
    /// <param name="hash">Its hash: at least 16 hexadecimal digits.</param>
    public bool Takes(string hash) =>
        ulong.Parse(hash.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) % (ulong)Count == (ulong)Index;

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
