namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EditFriendlyPath"/>; defaults are the paper's, with corrected formulas.</summary>
public sealed record EditFriendlyOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "edit-friendly";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the noise; an image's noise depends on this seed and on the image's key.</summary>
    public long Seed { get; init; }

    /// <summary>Share of the DDPM variance, above 0 to 1 (default 1).</summary>
    public double Eta { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 3.5).</summary>
    public double GuidanceScale { get; init; } = 3.5;

    /// <summary>
    /// Share of the steps that sampling skips, counted from the noisy end, 0 to below 1 (default 0.36): a smaller share keeps less of the image.
    /// </summary>
    public double Skip { get; init; } = 0.36;

    /// <summary>Uses the released code's direction term, sqrt(1 - a - eta v) instead of sqrt(1 - a - eta^2 v); they agree at eta 1. Off by default.</summary>
    public bool PublishedEta { get; init; }

    /// <summary>
    /// Sets the noise of the last step to zero, as the released code does; the image is then reconstructed only approximately (off by 0.15 latent units on a
    /// small network). Off by default: the reconstruction is exact up to rounding.
    /// </summary>
    public bool PublishedLastStep { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new EditFriendlyPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Eta is > 0 and <= 1))
            yield return FormattableString.Invariant($"Eta is {Eta}; it must be above 0 and at most 1.");
        if (!(Skip is >= 0 and < 1))
            yield return FormattableString.Invariant($"Skip is {Skip}; it must lie in [0, 1).");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}
