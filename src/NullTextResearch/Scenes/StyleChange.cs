namespace NullTextResearch.Scenes;

/// <summary>The same scene in another style.</summary>
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
            return $"The scene has the style '{To}' already.";
        return To == SceneStyle.Painted || scene.Weather == SceneWeather.Clear ? null : "In a drawing the weather is always clear, and here it is not.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Style = To };
}
