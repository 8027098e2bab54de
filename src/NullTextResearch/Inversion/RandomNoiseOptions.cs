namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="RandomNoisePath"/>.</summary>
public sealed record RandomNoiseOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "random-noise";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the noise; an image's noise depends on this seed and on the image's key.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new RandomNoisePath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems() => [];
}
