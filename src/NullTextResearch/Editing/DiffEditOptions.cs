namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="DiffEdit"/>; defaults are the paper's, with the clipping of its public implementation.</summary>
public sealed record DiffEditOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "diffedit";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Noise level from which the edit is sampled, as a share of all levels, above 0 and at most 1 (default 0.8).</summary>
    public double Strength { get; init; } = 0.8;

    /// <summary>Noise level at which the two prompts are compared for the mask, as a share of all levels, above 0 and at most 1 (default 0.5).</summary>
    public double MaskStrength { get; init; } = 0.5;

    /// <summary>Number of noise samples over which the comparison is averaged, at least 1 (default 10).</summary>
    public int Maps { get; init; } = 10;

    /// <summary>Differences are clipped to this multiple of their mean, above 0 (default 3), so that one bright spot does not hide the rest.</summary>
    public double ClipRatio { get; init; } = 3;

    /// <summary>A pixel may change if its clipped difference, scaled to [0, 1] from minimum to maximum, exceeds this; 0 to below 1 (default 0.5).</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Seed of the noise samples; every image uses the same, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Uses the public implementation's background: the image's latents before the step, one level noisier than the edit. The background then ends at the first
    /// noise level instead of at the image. Off by default.
    /// </summary>
    public bool PublishedBackground { get; init; }

    /// <summary>
    /// Uses the public implementation's scale: from 0 to the clipping limit, even if no difference reaches it, so uniform differences give no mask at all. Off
    /// by default: the clipped differences are stretched to [0, 1], as in the paper.
    /// </summary>
    public bool PublishedScale { get; init; }

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new DiffEdit(this, problem);
}
