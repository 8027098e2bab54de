namespace NullTextResearch.Scenes;

/// <summary>Changes the weather of a scene.</summary>
/// <param name="To">The new weather.</param>
public sealed record WeatherChange(SceneWeather To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Weather == To)
            return $"The weather of the scene is already '{To}'.";
        return ToyScenes.AllowsWeather(scene) ? null : "At night and in a drawing the weather is always clear.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Weather = To };
}
