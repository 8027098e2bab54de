namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="BdiaPath"/>.</summary>
public sealed record BdiaOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "bdia";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>
    /// gamma, above 0 to 1 (default 0.96): how much of the last two-level move is undone before the next. Each inversion step divides by it, so small values
    /// amplify latents and rounding errors.
    /// </summary>
    public double Gamma { get; init; } = 0.96;

    /// <summary>
    /// Share of the noise levels that the inversion covers, above 0 to 1 (default 1), at least two levels: a smaller share keeps more of the image in an edit.
    /// </summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 1).</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>Whether the image has signal level 1, or that of the schedule's clean end (default, as in the authors' code).</summary>
    public bool CleanImage { get; init; }

    /// <summary>How the first move is made (default: DDIM).</summary>
    public BdiaFirstMove FirstMove { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new BdiaPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Gamma is > 0 and <= 1))
            yield return FormattableString.Invariant($"Gamma is {Gamma}; it must be above 0 and at most 1.");
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must be above 0 and at most 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
        if (!Enum.IsDefined(FirstMove))
            yield return $"FirstMove is {FirstMove}; it must be one of {string.Join(", ", Enum.GetNames<BdiaFirstMove>())}.";
    }
}
