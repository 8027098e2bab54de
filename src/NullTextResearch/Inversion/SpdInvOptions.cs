namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="SpdInvPath"/>; rounds and learning rate are the released code's.</summary>
public sealed record SpdInvOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "spdinv";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Maximum number of updates of the latents per step, 0 or more (default 25); 0 is DDIM inversion.</summary>
    public int Rounds { get; init; } = 25;

    /// <summary>Learning rate of Adam on the latents, above 0 (default 0.001).</summary>
    public double LearningRate { get; init; } = 0.001;

    /// <summary>An image's rounds at a step end after a round with a loss below this; 0 to never stop early (default; the released code offers 5e-6).</summary>
    public double StopBelow { get; init; }

    /// <summary>
    /// Weight decay, 0 or more (default 0). The released code has 0.01, the default of its optimiser, which pulls the latents towards 0.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new SpdInvPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (Rounds < 0)
            yield return $"Rounds is {Rounds}; it must be 0 or more.";
        if (!(LearningRate > 0 && double.IsFinite(LearningRate)))
            yield return FormattableString.Invariant($"LearningRate is {LearningRate}; it must be finite and above 0.");
        if (!(StopBelow >= 0))
            yield return FormattableString.Invariant($"StopBelow is {StopBelow}; it must be 0 or more.");
        if (!(WeightDecay >= 0 && double.IsFinite(WeightDecay)))
            yield return FormattableString.Invariant($"WeightDecay is {WeightDecay}; it must be finite and 0 or more.");
    }
}
