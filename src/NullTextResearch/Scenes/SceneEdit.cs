namespace NullTextResearch.Scenes;

/// <summary>
/// A change of a scene whose true result is known: <see cref="Apply"/> changes exactly what the edit names and keeps
/// place, light, rotation and every seed.
/// </summary>
public abstract record SceneEdit
{
    private protected SceneEdit() { }

    /// <summary>Index of the object that the edit changes, adds or removes; null where it changes the surroundings.</summary>
    public abstract int? ObjectIndex { get; }

    /// <summary>Index of that object before the edit; null where it is not there yet.</summary>
    internal virtual int? IndexBefore => ObjectIndex;

    /// <summary>Index of that object after the edit; null where it is gone.</summary>
    internal virtual int? IndexAfter => ObjectIndex;

    /// <summary>Whether it changes place and objects alike.</summary>
    internal virtual bool IsEverywhere => false;

    /// <summary>Why the edit makes no sense for this scene, or null where it does.</summary>
    /// <param name="scene">The scene before the edit.</param>
    public abstract string? WhyNot(SceneDescription scene);

    /// <summary>The edited scene.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit makes no sense for this scene; the message is <see cref="WhyNot"/>.</exception>
    public SceneDescription Apply(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return WhyNot(scene) is { } reason ? throw new ArgumentException(reason, nameof(scene)) : Change(scene);
    }

    /// <summary>Both scenes, both captions and what differs between them.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit makes no sense for this scene.</exception>
    public SceneEditPlan Plan(SceneDescription scene) => new(this, scene, Apply(scene));

    private protected abstract SceneDescription Change(SceneDescription scene);

    private protected static string? MissingObject(SceneDescription scene, int index) =>
        index >= 0 && index < scene.Objects.Count
            ? null
            : $"The scene '{scene.Caption}' has {scene.Objects.Count} object(s): object index {index} does not exist.";

    private protected static SceneDescription With(SceneDescription scene, int index, Func<SceneObject, SceneObject> change) =>
        scene with
        {
            Objects = [.. scene.Objects.Select((o, i) => i == index ? change(o) : o)],
        };
}
