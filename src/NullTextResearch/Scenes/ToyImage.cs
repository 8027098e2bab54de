namespace NullTextResearch.Scenes;

/// <summary>A held-out scene with a suggested edit and its known true result.</summary>
/// <param name="File">File name inside the set's folder, e.g. "01-cat-meadow.png".</param>
/// <param name="Seed">The seed, of split <see cref="SceneSplit.HeldOut"/>.</param>
/// <param name="Plan">The suggested edit, with the scene as its source.</param>
public sealed record ToyImage(string File, long Seed, SceneEditPlan Plan)
{
    /// <summary>The scene.</summary>
    public SceneDescription Scene => Plan.Source;

    /// <summary>The scene's caption.</summary>
    public string Caption => Plan.SourceCaption;
}
