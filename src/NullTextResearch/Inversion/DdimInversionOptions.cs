namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="DdimInversion"/>; defaults are the released code's.</summary>
public sealed record DdimInversionOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "ddim";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>w of the inversion itself; other than 1, both embeddings are combined by classifier-free guidance at every step.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>Which timestep is passed to the network.</summary>
    public NoiseTimestep NoiseTimestep { get; init; } = NoiseTimestep.Destination;

    /// <inheritdoc/>
    public override IPath Create() => new DdimInversion(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
