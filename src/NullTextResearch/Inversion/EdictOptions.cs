namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EdictPath"/>.</summary>
public sealed record EdictOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "edict";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Share of a latent that each mixing step keeps, above 0.5 to 1 (default 0.93); at 1 nothing is mixed and the pair drifts apart.</summary>
    public double Mix { get; init; } = 0.93;

    /// <summary>Share of the noise levels that the inversion covers, above 0 to 1 (default 1): a smaller share keeps more of the image in an edit.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 3).</summary>
    public double GuidanceScale { get; init; } = 3;

    /// <inheritdoc/>
    public override IPath Create() => new EdictPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Mix is > 0.5 and <= 1))
            yield return FormattableString.Invariant($"Mix is {Mix}; it must be above 0.5 and at most 1.");
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must be above 0 and at most 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
