namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="InfEdit"/>; defaults are the paper's.</summary>
public sealed record InfEditOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "infedit";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Share of the noise levels to start from, above 0 to 1 (default 1): less keeps more of the image.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the source, finite (default 1); targets take that of the edit.</summary>
    public double SourceGuidance { get; init; } = 1;

    /// <summary>
    /// Share of a level's noise that is drawn anew at each step, by standard deviation, 0 to 1. At 1 (default) nothing of the way before is left but
    /// the clean latents, which is the paper's sampler; at 0 it is deterministic.
    /// </summary>
    public double Eta { get; init; } = 1;

    /// <summary>Start from the image noised to the first level (default), or from noise alone, as if there was no image at any level.</summary>
    public bool StartsFromImage { get; init; } = true;

    /// <summary>Seed of the noise; every image takes the same, so an edit does not depend on its batch.</summary>
    public long Seed { get; init; }

    /// <summary>The released code's rule: eta is a share of the variance, and not of the standard deviation. The same at 0 and 1. Off by default.</summary>
    public bool PublishedEta { get; init; }

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new InfEdit(this, problem);
}
