namespace NullTextResearch.Scenes;

/// <summary>
/// Changes the size of an object to the middle of the size word's range. It keeps its base in the same place, moved only as far as needed to stay in the
/// picture.
/// </summary>
/// <param name="Index">Index of the object.</param>
/// <param name="To">Its new size word.</param>
public sealed record SizeChange(int Index, SceneSize To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (MissingObject(scene, Index) is { } missing)
            return missing;
        if (scene.Objects.Count > 1)
            return "Two objects share the width of the scene: the size can be changed only for a single object.";
        return scene.Objects[Index].Size == To ? $"The object already has the size '{To}'." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) =>
        With(
            scene,
            Index,
            o =>
            {
                (double low, double high) = ToyScenes.SideRange(To);
                double side = (low + high) / 2,
                    feet = Math.Clamp(o.CentreY + (o.Side / 2), side + 0.03, 0.95);
                return o with { Size = To, Side = side, CentreX = Math.Clamp(o.CentreX, (side / 2) + 0.02, 0.98 - (side / 2)), CentreY = feet - (side / 2) };
            }
        );
}
