namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="ProximalNegativePromptInversion"/>; defaults are the published numbers, with corrected formulas.</summary>
public sealed record ProximalOptions
{
    /// <summary>How the start latents are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>How the difference of the predictions is thresholded (default: small values are dropped, large ones stay).</summary>
    public ProximalRule Rule { get; init; } = ProximalRule.Hard;

    /// <summary>
    /// Share of the values of a row that lie below its threshold, 0 to 1 (default 0.5). The released code uses 0.75 of source and target together; because the
    /// source's values are all 0, that is about half of the target's.
    /// </summary>
    public double Quantile { get; init; } = 0.5;

    /// <summary>A threshold for all steps instead of <see cref="Quantile"/>, 0 or more; null (default) for the quantile.</summary>
    public double? Threshold { get; init; }

    /// <summary>
    /// Takes one quantile of an image and its edited versions together, as the released code does, so that its effect changes with every additional version.
    /// Off by default: each row has its own.
    /// </summary>
    public bool SharedThreshold { get; init; }

    /// <summary>How far latents outside the edited regions are pulled back at a step, as a share of their distance, 0 to 1 (default 1).</summary>
    public double Pull { get; init; } = 1;

    /// <summary>Pull at timesteps below this share of all timesteps, 0 to 1; null for no such steps (default 0.4, the published 400 of 1000).</summary>
    public double? PullBelow { get; init; } = 0.4;

    /// <summary>Pull at timesteps above this share of all timesteps, 0 to 1; null (default) for no such steps.</summary>
    public double? PullAbove { get; init; }

    /// <summary>Pull latents after a step to the latents of the inversion (default true).</summary>
    public bool PullsToPivot { get; init; } = true;

    /// <summary>Pull the predicted clean latents within a step to those of the image; the predicted noise stays unchanged (default false).</summary>
    public bool PullsToImage { get; init; }

    /// <summary>By how many latent pixels the edited regions are dilated before the pull, 0 or more (default 1).</summary>
    public int Dilate { get; init; } = 1;

    /// <summary>
    /// Shrinks once too often, as the released code does: its hard rule is the soft one, and its soft rule shrinks once more, differently for positive and
    /// negative values. The edited regions are taken from the shrunk difference. Off by default.
    /// </summary>
    public bool PublishedShrinking { get; init; }

    internal IEnumerable<string> Problems()
    {
        foreach ((string name, double? share) in Shares())
        {
            if (share is { } value && !(value is >= 0 and <= 1))
                yield return FormattableString.Invariant($"{name} is {value}; it must lie in [0, 1].");
        }
        if (Threshold is { } threshold && !(threshold >= 0 && double.IsFinite(threshold)))
            yield return FormattableString.Invariant($"Threshold is {threshold}; it must be finite and 0 or more.");
        if (Dilate < 0)
            yield return FormattableString.Invariant($"Dilate is {Dilate}; it must be 0 or more.");
        foreach (string problem in Inversion.Problems())
            yield return problem;
    }

    private (string Name, double? Share)[] Shares() =>
        [(nameof(Quantile), Quantile), (nameof(Pull), Pull), (nameof(PullBelow), PullBelow), (nameof(PullAbove), PullAbove)];
}
