namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="Pix2PixZeroPath"/>; defaults are the published ones.</summary>
public sealed record Pix2PixZeroPathOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "pix2pix-zero";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the shifts by which a prediction is compared with itself.</summary>
    public long Seed { get; init; }

    /// <summary>Weight of the autocorrelation at latents of 64 x 64, finite and 0 or more (default 20); 0 leaves it out.</summary>
    public double AutoCorrelation { get; init; } = 20;

    /// <summary>Weight of the distance from a normal distribution at latents of 64 x 64, finite and 0 or more (default 20); 0 leaves it out.</summary>
    public double Divergence { get; init; } = 20;

    /// <summary>Rounds of both updates per step, 0 or more (default 5); 0 is DDIM inversion.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Updates by the autocorrelation per round, 1 or more (default 5).</summary>
    public int Rolls { get; init; } = 5;

    /// <summary>
    /// The released code's levels: the network is asked at the level that the latents have, and the path climbs to one timestep below the next. Off by
    /// default: the sampler's moves with their levels exchanged, so that sampling starts at the level that the path ends at.
    /// </summary>
    public bool PublishedLevels { get; init; }

    /// <summary>
    /// The released code compares a map with itself unshifted too, which punishes noise for having a variance. Off by default.
    /// </summary>
    public bool PublishedShifts { get; init; }

    /// <summary>
    /// The released code's updates: gradients of means, which grow as latents shrink, so that the weights of 64 x 64 latents throw small ones off. Off
    /// by default: an update moves a value alike at every size.
    /// </summary>
    public bool PublishedScale { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new Pix2PixZeroPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(AutoCorrelation >= 0 && double.IsFinite(AutoCorrelation)))
            yield return FormattableString.Invariant($"AutoCorrelation is {AutoCorrelation}; it must be finite and 0 or more.");
        if (!(Divergence >= 0 && double.IsFinite(Divergence)))
            yield return FormattableString.Invariant($"Divergence is {Divergence}; it must be finite and 0 or more.");
        if (Rounds < 0)
            yield return $"Rounds is {Rounds}; it must be 0 or more.";
        if (Rolls < 1)
            yield return $"Rolls is {Rolls}; it must be at least 1.";
    }
}
