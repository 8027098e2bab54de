namespace NullTextResearch.Scenes;

/// <summary>Turns day into night.</summary>
public sealed record NightFall : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Night)
            return "The scene is already at night.";
        if (scene.Weather != SceneWeather.Clear)
            return "At night the weather is always clear; here it is not.";
        return ToyScenes.AllowsNight(scene.Background) ? null : $"'{CaptionGrammar.Phrase(scene.Background)}' has no night version.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Night = true };
}
