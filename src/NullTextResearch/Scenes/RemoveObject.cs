namespace NullTextResearch.Scenes;

/// <summary>Removes one of two objects; the other stays in place.</summary>
/// <param name="Index">Index of the object to remove.</param>
public sealed record RemoveObject(int Index) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    internal override int? IndexAfter => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return scene.Objects.Count > 1 ? MissingObject(scene, Index) : "The scene has only one object, and a scene cannot be empty.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Objects = [.. scene.Objects.Where((_, i) => i != Index)] };
}
