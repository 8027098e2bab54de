namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="TextualInversion"/>. The paper specifies none of them.</summary>
public sealed record TextualInversionOptions : RandomTimestepOptions
{
    /// <summary>Where the embedding starts.</summary>
    public TextualStart Start { get; init; } = TextualStart.Prompt;

    /// <summary>The latents from which the result is sampled.</summary>
    public TextualPath Path { get; init; } = TextualPath.InvertWithOptimised;

    /// <summary>How those latents are found; the guidance scale of this inversion applies too.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
