namespace NullTextResearch.Interactive;

/// <summary>One slider.</summary>
/// <param name="Name">What it changes.</param>
/// <param name="Labels">One label per position; at least one.</param>
public sealed record SliderAxis(string Name, IReadOnlyList<string> Labels)
{
    /// <summary>Position at the start, from 0.</summary>
    public int Start { get; init; }
}
