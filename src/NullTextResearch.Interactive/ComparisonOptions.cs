using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>How methods of the catalogue are compared.</summary>
public sealed record ComparisonOptions
{
    /// <summary>T, DDIM steps, 1 to 999 (default 50).</summary>
    public int Steps { get; init; } = 50;

    /// <summary>w, the guidance scale of reconstructions and edits (default 7.5).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>N, inner steps of methods that optimise (default 10).</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Seed of methods that draw noise (default 0).</summary>
    public long Seed { get; init; }

    /// <summary>Crop applied first; null (default) crops nothing.</summary>
    public ImagePreparation? Crop { get; init; }

    /// <summary>Size of the prepared image; null (default) uses the model's native square.</summary>
    public ImageSizing? Size { get; init; }
}
