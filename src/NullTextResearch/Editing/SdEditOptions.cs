namespace NullTextResearch.Editing;

/// <summary>How far to go back.</summary>
public sealed record SdEditOptions
{
    /// <summary>t0: share of the noise levels to climb before denoising, 0 (nothing changes) to 1 (all but nothing of the image is left).</summary>
    public double Strength { get; init; } = 0.5;

    /// <summary>Seed of the noise; image i of a batch takes Seed + i, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }
}
