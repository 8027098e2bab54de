namespace NullTextResearch.Editing;

/// <summary>Options of SDEdit.</summary>
public sealed record SdEditOptions
{
    /// <summary>
    /// t0: noise level from which denoising starts, as a share of all levels, 0 (nothing changes) to 1 (almost nothing of the image is left).
    /// </summary>
    public double Strength { get; init; } = 0.5;

    /// <summary>Seed of the noise; image i of a batch uses Seed + i, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }
}
