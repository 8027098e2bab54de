namespace NullTextResearch.Interactive;

/// <summary>One slider.</summary>
/// <param name="Name">Name of the setting that it changes.</param>
/// <param name="Labels">One label per position; at least one.</param>
public sealed record SliderAxis(string Name, IReadOnlyList<string> Labels)
{
    /// <summary>Start position, counted from 0.</summary>
    public int Start { get; init; }
}
