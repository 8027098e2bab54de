namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="BelmPath"/>.</summary>
public sealed record BelmOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "belm";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Share of the noise levels that are climbed, above 0 to 1 (default 1), two at least: less keeps more of the image in an edit.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 1).</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>
    /// Whether the image has signal level 1 (default; paper and released code), or that of the schedule's clean end, which for Stable Diffusion is so
    /// near to the first timestep that the second move amplifies more.
    /// </summary>
    public bool CleanImage { get; init; } = true;

    /// <inheritdoc/>
    public override IPath Create() => new BelmPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must lie above 0 and up to 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
