namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="Pix2PixZero"/>; defaults are the published ones.</summary>
public sealed record Pix2PixZeroOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "pix2pix-zero";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>How far the target's latents move down the gradient at each step, finite and at least 0 (default 0.1); 0 is plain sampling.</summary>
    public double Amount { get; init; } = 0.1;

    /// <summary>
    /// Moves the inputs of the unconditional and the conditional prediction separately, each by its own gradient, and continues from the unconditional one, as
    /// the released code does. Off by default: both predictions use the same latents, which move by the sum of both gradients.
    /// </summary>
    public bool PublishedHalves { get; init; }

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new Pix2PixZero(this);
}
