namespace NullTextResearch.Scenes;

/// <summary>Changes the style of a scene.</summary>
/// <param name="To">The new style.</param>
public sealed record StyleChange(SceneStyle To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Style == To)
            return $"The scene already has the style '{To}'.";
        return To == SceneStyle.Painted || scene.Weather == SceneWeather.Clear ? null : "In a drawing the weather is always clear; here it is not.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Style = To };
}
