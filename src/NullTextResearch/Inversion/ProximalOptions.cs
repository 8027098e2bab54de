namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="ProximalNegativePromptInversion"/>; defaults are the published numbers, with the formulas put right.</summary>
public sealed record ProximalOptions
{
    /// <summary>How the start latents are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>What becomes of the difference of the predictions (default: small values go, large ones stay).</summary>
    public ProximalRule Rule { get; init; } = ProximalRule.Hard;

    /// <summary>
    /// Share of the values of a row that lie below its threshold, 0 to 1 (default 0.5). The released code takes 0.75 of source and target together;
    /// as the source's values are all 0, that is about half of the target's.
    /// </summary>
    public double Quantile { get; init; } = 0.5;

    /// <summary>A threshold for all steps in place of <see cref="Quantile"/>, 0 or more; null (default) for the quantile.</summary>
    public double? Threshold { get; init; }

    /// <summary>
    /// The released code takes one quantile of an image and its edited versions together, so that it means something else with every version more.
    /// Off by default: each row has its own.
    /// </summary>
    public bool SharedThreshold { get; init; }

    /// <summary>Share of the way back that latents outside the edited places are pulled at a step, 0 to 1 (default 1).</summary>
    public double Pull { get; init; } = 1;

    /// <summary>Pull at timesteps below this share of all, 0 to 1; null for no such steps (default 0.4, the published 400 of 1000).</summary>
    public double? PullBelow { get; init; } = 0.4;

    /// <summary>Pull at timesteps above this share of all, 0 to 1; null (default) for no such steps.</summary>
    public double? PullAbove { get; init; }

    /// <summary>Pull latents after a step to the latents of the inversion (default true).</summary>
    public bool PullsToPivot { get; init; } = true;

    /// <summary>Pull the predicted clean latents within a step to those of the image; the predicted noise stays as it was (default false).</summary>
    public bool PullsToImage { get; init; }

    /// <summary>By how many pixels of the latents the edited places are widened before the pull, 0 or more (default 1).</summary>
    public int Dilate { get; init; } = 1;

    /// <summary>
    /// The released code shrinks one time too often: its hard rule is the soft one, its soft rule shrinks once more, positive and negative values
    /// differently; and what counts as edited is asked of the shrunk difference. Off by default.
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
            yield return FormattableString.Invariant($"Threshold is {threshold}; it must be 0 or more, and finite.");
        if (Dilate < 0)
            yield return FormattableString.Invariant($"Dilate is {Dilate}; it must be 0 or more.");
        foreach (string problem in Inversion.Problems())
            yield return problem;
    }

    private (string Name, double? Share)[] Shares() =>
        [(nameof(Quantile), Quantile), (nameof(Pull), Pull), (nameof(PullBelow), PullBelow), (nameof(PullAbove), PullAbove)];
}
