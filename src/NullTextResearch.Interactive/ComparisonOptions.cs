using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>How methods of the catalogue are compared.</summary>
public sealed record ComparisonOptions
{
    /// <summary>T, DDIM steps, 1 to 999 (default 50).</summary>
    public int Steps { get; init; } = 50;

    /// <summary>w, the guidance scale of reconstructions and edits (default 7.5).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>N, of methods that optimise (default 10).</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Of methods that draw noise (default 0).</summary>
    public long Seed { get; init; }

    /// <summary>What is cut off first; null (default) cuts nothing off.</summary>
    public ImagePreparation? Crop { get; init; }

    /// <summary>What size the picture gets; null (default) takes the model's own square.</summary>
    public ImageSizing? Size { get; init; }
}
