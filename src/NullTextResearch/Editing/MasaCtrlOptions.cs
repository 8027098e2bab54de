namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="MasaCtrl"/>; defaults are the published ones, given as shares.</summary>
public sealed record MasaCtrlOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "masactrl";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Steps with mutual self-attention (default: from 0.08 on, the published 4 of 50).</summary>
    public StepWindow Steps { get; init; } = new(0.08, 1);

    /// <summary>
    /// Share of the transformer blocks, in the order in which they run, that keep their own self-attention: 0 to 1 (default 0.625, the published 10 of
    /// 16). The others take keys and values of the source.
    /// </summary>
    public double FromBlock { get; init; } = 0.625;

    /// <summary>Steps by index in place of <see cref="Steps"/>; null (default) for that window.</summary>
    public IReadOnlyList<int>? StepIndices { get; init; }

    /// <summary>Transformer blocks by index in place of <see cref="FromBlock"/>; null (default) for that share.</summary>
    public IReadOnlyList<int>? BlockIndices { get; init; }

    /// <summary>
    /// Confines what the target takes from the source: things from things, background from background. Null (default) lets every pixel look at all of
    /// the source.
    /// </summary>
    public MasaCtrlMasks? Masks { get; init; }

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new MasaCtrl(this, problem);
}
