namespace NullTextResearch.Editing;

/// <summary>Options of <see cref="EmbeddingInterpolation"/>.</summary>
public sealed record EmbeddingInterpolationOptions : EditorOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string EditorId = "interpolation";

    /// <inheritdoc/>
    public override string Id => EditorId;

    /// <summary>Share of the target prompt's embedding, 0 (the image) to 1 (the target prompt alone); default 0.8, our choice: a trade-off per image.</summary>
    public double Share { get; init; } = 0.8;

    internal override bool ReusesOptimisedWords => false;

    internal override bool TakesWeights => false;

    /// <inheritdoc/>
    public override IEditDirector Direct(EditProblem problem) => new EmbeddingInterpolation(this, problem);
}
