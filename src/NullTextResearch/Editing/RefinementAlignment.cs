namespace NullTextResearch.Editing;

/// <summary>Where each target token of a refinement comes from.</summary>
/// <param name="Sources">Per target position: source position, or -1 for a new token.</param>
public sealed record RefinementAlignment(IReadOnlyList<int> Sources)
{
    /// <summary>Per target position: 1 where the source's map is injected, 0 where the target keeps its own.</summary>
    public IReadOnlyList<float> Weights => [.. Sources.Select(s => s < 0 ? 0f : 1f)];
}
