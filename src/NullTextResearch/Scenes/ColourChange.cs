namespace NullTextResearch.Scenes;

/// <summary>Changes the colour of an object.</summary>
/// <param name="Index">Index of the object; it must be <see cref="ToyScenes.IsColourable">colourable</see>.</param>
/// <param name="To">Its new colour.</param>
public sealed record ColourChange(int Index, SceneColour To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (MissingObject(scene, Index) is { } missing)
            return missing;
        SceneObject o = scene.Objects[Index];
        if (o.Colour is null)
            return $"A {CaptionGrammar.Noun(o.Kind)} comes in one colour only: change the colour of a car, a balloon or a mushroom.";
        return o.Colour == To ? $"The {CaptionGrammar.Noun(o.Kind)} is already {CaptionGrammar.Word(To)}." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) => With(scene, Index, o => o with { Colour = To });
}
