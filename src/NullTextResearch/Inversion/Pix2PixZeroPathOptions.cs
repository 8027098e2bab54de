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

    /// <summary>Weight of the autocorrelation for 64 x 64 latents, finite and 0 or more (default 20); 0 disables it.</summary>
    public double AutoCorrelation { get; init; } = 20;

    /// <summary>Weight of the distance from a normal distribution for 64 x 64 latents, finite and 0 or more (default 20); 0 disables it.</summary>
    public double Divergence { get; init; } = 20;

    /// <summary>Rounds of both updates per step, 0 or more (default 5); 0 is DDIM inversion.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Autocorrelation updates per round, 1 or more (default 5).</summary>
    public int Rolls { get; init; } = 5;

    /// <summary>
    /// Uses the released code's levels: the network is evaluated at the latents' own level, and each move ends one timestep below the next level. Off by
    /// default: the sampler's moves with their levels swapped, so that sampling starts at the level where the path ends.
    /// </summary>
    public bool PublishedLevels { get; init; }

    /// <summary>Also compares a map with its unshifted self, as the released code does, which penalises noise for having a variance. Off by default.</summary>
    public bool PublishedShifts { get; init; }

    /// <summary>
    /// Uses the released code's updates: gradients of means, which grow as latents get smaller, so that the weights for 64 x 64 latents are too strong for
    /// small ones. Off by default: an update changes a value equally at every size.
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
