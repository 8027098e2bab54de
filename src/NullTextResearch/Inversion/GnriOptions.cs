namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="GnriPath"/>; iterations and weight are the released code's.</summary>
public sealed record GnriOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "gnri";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Points at which a step's equation is tried, 1 or more (default 2); 1 is DDIM inversion.</summary>
    public int Iterations { get; init; } = 2;

    /// <summary>alpha, 0 or more (default 0.1): weight of the guide, which holds latents where noisy versions of the image lie.</summary>
    public double PriorWeight { get; init; } = 0.1;

    /// <summary>
    /// Where the slope of the objective is flatter than this, a value stays; above 0 (default 0.1). Steps have the size of the objective over the slope.
    /// </summary>
    public double LeastSlope { get; init; } = 0.1;

    /// <summary>
    /// The released code's slope: the network counts as constant, which leaves the sign of the residual, and no backward pass. Off by default: the
    /// derivative through the network.
    /// </summary>
    public bool PublishedSlope { get; init; }

    /// <summary>The released code's step: over 16,384 values whatever the size of the latents. Off by default: over the number of values.</summary>
    public bool PublishedCount { get; init; }

    /// <summary>
    /// The released code's guide: of the value that the step leads to, measured from the unscaled image, as fits the latents of its Euler sampler. Off
    /// by default: of the point tried, with mean and variance of DDIM's latents.
    /// </summary>
    public bool PublishedPrior { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new GnriPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (Iterations < 1)
            yield return $"Iterations is {Iterations}; it must be at least 1.";
        if (!(PriorWeight >= 0 && double.IsFinite(PriorWeight)))
            yield return FormattableString.Invariant($"PriorWeight is {PriorWeight}; it must be finite, and 0 or more.");
        if (!(LeastSlope > 0 && double.IsFinite(LeastSlope)))
            yield return FormattableString.Invariant($"LeastSlope is {LeastSlope}; it must be finite, and above 0.");
    }
}
