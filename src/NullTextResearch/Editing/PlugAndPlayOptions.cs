namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="PlugAndPlay"/>; defaults are the published ones.</summary>
public sealed record PlugAndPlayOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "plug-and-play";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Share of the steps in which residual features of the source are injected, 0 to 1 (default 0.8).</summary>
    public double Features { get; init; } = 0.8;

    /// <summary>Share of the steps in which self-attention queries and keys of the source are injected, 0 to 1 (default 0.5).</summary>
    public double Attention { get; init; } = 0.5;

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new PlugAndPlay(this, problem);
}
