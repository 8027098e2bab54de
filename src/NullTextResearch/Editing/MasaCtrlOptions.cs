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
    /// Share of the transformer blocks, in execution order, that keep their own self-attention: 0 to 1 (default 0.625, the published 10 of 16). The others use
    /// the source's keys and values.
    /// </summary>
    public double FromBlock { get; init; } = 0.625;

    /// <summary>Step indices that override <see cref="Steps"/>; null (default) uses that window.</summary>
    public IReadOnlyList<int>? StepIndices { get; init; }

    /// <summary>Transformer block indices that override <see cref="FromBlock"/>; null (default) uses that share.</summary>
    public IReadOnlyList<int>? BlockIndices { get; init; }

    /// <summary>
    /// Confines what the target takes from the source: objects from objects, background from background. Null (default) lets every pixel attend to the whole
    /// source.
    /// </summary>
    public MasaCtrlMasks? Masks { get; init; }

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new MasaCtrl(this, problem);
}
