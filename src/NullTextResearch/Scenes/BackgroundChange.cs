namespace NullTextResearch.Scenes;

/// <summary>Replaces the background; objects, horizon and sun stay the same.</summary>
/// <param name="To">The new background.</param>
public sealed record BackgroundChange(SceneBackground To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Background == To)
            return $"The scene is already {CaptionGrammar.Phrase(To)}.";
        return scene.Night && !ToyScenes.AllowsNight(To) ? $"'{CaptionGrammar.Phrase(To)}' has no night version, and this scene is at night." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Background = To };
}
