namespace NullTextResearch.Scenes;

/// <summary>One of two objects is gone; the other stays where it is.</summary>
/// <param name="Index">Which object goes.</param>
public sealed record RemoveObject(int Index) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    internal override int? IndexAfter => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return scene.Objects.Count > 1 ? MissingObject(scene, Index) : "The scene has one object alone, and no scene is empty.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Objects = [.. scene.Objects.Where((_, i) => i != Index)] };
}
