namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="GnriPath"/>; iterations and weight are the released code's.</summary>
public sealed record GnriOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "gnri";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Points at which a step's equation is evaluated, 1 or more (default 2); 1 is DDIM inversion.</summary>
    public int Iterations { get; init; } = 2;

    /// <summary>alpha, 0 or more (default 0.1): weight of the guidance term, which keeps latents close to noisy versions of the image.</summary>
    public double PriorWeight { get; init; } = 0.1;

    /// <summary>
    /// Values are not updated where the magnitude of the objective's slope is below this; above 0 (default 0.1). The step size is the objective divided by the
    /// slope.
    /// </summary>
    public double LeastSlope { get; init; } = 0.1;

    /// <summary>
    /// Uses the released code's slope: the network is treated as constant, which leaves the sign of the residual and needs no backward pass. Off by default:
    /// the derivative includes the network.
    /// </summary>
    public bool PublishedSlope { get; init; }

    /// <summary>
    /// Divides the step by 16,384 values whatever the size of the latents, as the released code does. Off by default: divides it by the actual number of
    /// values.
    /// </summary>
    public bool PublishedCount { get; init; }

    /// <summary>
    /// Uses the released code's guidance term: it applies to the value that the step leads to, relative to the unscaled image, as suits the latents of its
    /// Euler sampler. Off by default: it applies to the point evaluated, with the mean and variance of DDIM latents.
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
            yield return FormattableString.Invariant($"PriorWeight is {PriorWeight}; it must be finite and 0 or more.");
        if (!(LeastSlope > 0 && double.IsFinite(LeastSlope)))
            yield return FormattableString.Invariant($"LeastSlope is {LeastSlope}; it must be finite and above 0.");
    }
}
