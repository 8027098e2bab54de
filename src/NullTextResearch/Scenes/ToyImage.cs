namespace NullTextResearch.Scenes;

/// <summary>A held-out scene with a suggested edit whose true result is known.</summary>
/// <param name="File">File name inside the set's folder, e.g. "01-cat-meadow.png".</param>
/// <param name="Seed">The seed, of split <see cref="SceneSplit.HeldOut"/>.</param>
/// <param name="Plan">The suggested edit; its source is the scene.</param>
public sealed record ToyImage(string File, long Seed, SceneEditPlan Plan)
{
    /// <summary>The scene.</summary>
    public SceneDescription Scene => Plan.Source;

    /// <summary>The scene's caption.</summary>
    public string Caption => Plan.SourceCaption;
}
