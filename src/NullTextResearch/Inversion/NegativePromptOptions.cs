namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="NegativePromptInversion"/>.</summary>
public sealed record NegativePromptOptions
{
    /// <summary>Share of the way from the prompt's embedding (0) to that of the empty prompt (1), along the arc between them.</summary>
    public double Interpolation { get; init; }

    /// <summary>How the start latents are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
