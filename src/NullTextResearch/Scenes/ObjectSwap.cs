namespace NullTextResearch.Scenes;

/// <summary>Replaces an object by another kind in the same place, e.g. a cat becomes a dog.</summary>
/// <param name="Index">Index of the object.</param>
/// <param name="To">Its new kind.</param>
/// <param name="Colour">Its new colour; null keeps the colour if both kinds have one.</param>
public sealed record ObjectSwap(int Index, SceneObjectKind To, SceneColour? Colour = null) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (MissingObject(scene, Index) is { } missing)
            return missing;
        if (scene.Objects.Any(o => o.Kind == To))
            return $"The scene '{scene.Caption}' already has a {CaptionGrammar.Noun(To)}: choose another kind.";
        if (ToyScenes.IsColourable(To) && Colour is null && scene.Objects[Index].Colour is null)
            return $"A {CaptionGrammar.Noun(To)} needs a colour, and the {CaptionGrammar.Noun(scene.Objects[Index].Kind)} that it replaces has none: name one.";
        return !ToyScenes.IsColourable(To) && Colour is not null ? $"A {CaptionGrammar.Noun(To)} comes in one colour only: leave the colour out." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) =>
        With(scene, Index, o => o with { Kind = To, Colour = ToyScenes.IsColourable(To) ? Colour ?? o.Colour : null });
}
