namespace NullTextResearch.Scenes;

/// <summary>The same objects elsewhere, with the same horizon and sun.</summary>
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
            return $"The scene plays {CaptionGrammar.Phrase(To)} already.";
        return scene.Night && !ToyScenes.AllowsNight(To) ? $"'{CaptionGrammar.Phrase(To)}' has no night version, and this scene plays at night." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Background = To };
}
