namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="DiffEdit"/>; defaults are the paper's, the clipping that of its known implementation.</summary>
public sealed record DiffEditOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "diffedit";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Share of the noise levels to which the image is climbed, and from which the edit is sampled, above 0 to 1 (default 0.8).</summary>
    public double Strength { get; init; } = 0.8;

    /// <summary>Share of the noise levels at which the two prompts are compared to make the mask, above 0 to 1 (default 0.5).</summary>
    public double MaskStrength { get; init; } = 0.5;

    /// <summary>Noises over which the comparison is averaged, 1 or more (default 10).</summary>
    public int Maps { get; init; } = 10;

    /// <summary>Differences above this many times their mean are clipped to it, above 0 (default 3): one bright spot shall not hide the rest.</summary>
    public double ClipRatio { get; init; } = 3;

    /// <summary>A pixel may change above this share of the way between the clipped differences' minimum and maximum, 0 to below 1 (default 0.5).</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Seed of the noises; every image takes the same, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// The known implementation's background: the image's latents before the step, one level noisier than the edit, so that the background ends at
    /// the first noise level and not at the image. Off by default.
    /// </summary>
    public bool PublishedBackground { get; init; }

    /// <summary>
    /// The known implementation's scale: from 0 to the clip, whether or not a difference reaches it, so that even differences give no mask at all. Off
    /// by default: the clipped differences are stretched to [0, 1], as in the paper.
    /// </summary>
    public bool PublishedScale { get; init; }

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new DiffEdit(this, problem);
}
