namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="InfEdit"/>; defaults are the paper's.</summary>
public sealed record InfEditOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "infedit";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Noise level to start from, as a share of all levels, above 0 and at most 1 (default 1): a lower one keeps more of the image.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the source, finite (default 1); targets use the edit's.</summary>
    public double SourceGuidance { get; init; } = 1;

    /// <summary>
    /// Share of a level's noise, by standard deviation, that is redrawn at each step, 0 to 1. At 1 (default) each step keeps only the clean latents of the
    /// previous one, as in the paper's sampler; at 0 sampling is deterministic.
    /// </summary>
    public double Eta { get; init; } = 1;

    /// <summary>Start from the image noised to the first level (default), or from noise alone, without the image.</summary>
    public bool StartsFromImage { get; init; } = true;

    /// <summary>Seed of the noise; every image uses the same, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Uses the released code's rule: eta is a share of the variance instead of the standard deviation. Both agree at 0 and 1. Off by default.
    /// </summary>
    public bool PublishedEta { get; init; }

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new InfEdit(this, problem);
}
