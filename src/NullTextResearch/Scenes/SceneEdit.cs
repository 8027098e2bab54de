namespace NullTextResearch.Scenes;

/// <summary>
/// A change of a scene with a known true result: <see cref="Apply"/> changes exactly what the edit names and keeps place, light, rotation and all seeds.
/// </summary>
public abstract record SceneEdit
{
    private protected SceneEdit() { }

    /// <summary>Index of the object that the edit changes, adds or removes; null if it changes the surroundings.</summary>
    public abstract int? ObjectIndex { get; }

    /// <summary>Index of that object before the edit; null if it does not exist yet.</summary>
    internal virtual int? IndexBefore => ObjectIndex;

    /// <summary>Index of that object after the edit; null if it is removed.</summary>
    internal virtual int? IndexAfter => ObjectIndex;

    /// <summary>Whether it changes both place and objects.</summary>
    internal virtual bool IsEverywhere => false;

    /// <summary>Why the edit does not apply to this scene, or null if it does.</summary>
    /// <param name="scene">The scene before the edit.</param>
    public abstract string? WhyNot(SceneDescription scene);

    /// <summary>The edited scene.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit does not apply to this scene; the message is that of <see cref="WhyNot"/>.</exception>
    public SceneDescription Apply(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return WhyNot(scene) is { } reason ? throw new ArgumentException(reason, nameof(scene)) : Change(scene);
    }

    /// <summary>Both scenes, both captions and what differs between them.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit does not apply to this scene.</exception>
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
