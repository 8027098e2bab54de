namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="BelmPath"/>.</summary>
public sealed record BelmOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "belm";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>
    /// Share of the noise levels that the inversion covers, above 0 to 1 (default 1), at least two levels: a smaller share keeps more of the image in an edit.
    /// </summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 1).</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>
    /// Whether the image has signal level 1 (default, as in the paper and the released code), or that of the schedule's clean end. For Stable Diffusion the
    /// clean end is so close to the first timestep that the second move amplifies errors more.
    /// </summary>
    public bool CleanImage { get; init; } = true;

    /// <inheritdoc/>
    public override IPath Create() => new BelmPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must be above 0 and at most 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
