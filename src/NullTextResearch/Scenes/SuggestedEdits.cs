namespace NullTextResearch.Scenes;

/// <summary>Chooses sensible edits of a scene.</summary>
public static class SuggestedEdits
{
    /// <summary>
    /// Edits that make sense for a scene, always the same ones: for its first object a swap, a colour (if it has one) and a size, then a background, nightfall
    /// and a second object, each if possible. No edit leads to a combination that training never shows, so the edits measure editing and not generalisation.
    /// </summary>
    /// <param name="scene">The scene before the edits.</param>
    /// <returns>
    /// Always a background change, and nearly always an object swap. The swap is missing if all kinds that would keep the number of words are already in the
    /// scene or held out on its background.
    /// </returns>
    public static IReadOnlyList<SceneEdit> For(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        SceneRandom random = new SceneRandom(scene.BackgroundSeed);
        SceneObject first = scene.Objects[0];
        SceneEdit?[] edits =
        [
            Choose(scene, random, ToyScenes.Kinds.Where(k => SameSort(k, first.Kind)).Select(k => new ObjectSwap(0, k)))
                ?? Choose(
                    scene,
                    random,
                    ToyScenes.Kinds.Where(k => ToyScenes.IsColourable(k) == ToyScenes.IsColourable(first.Kind)).Select(k => new ObjectSwap(0, k))
                ),
            Choose(scene, random, ToyScenes.Colours.Select(c => new ColourChange(0, c))),
            Choose(scene, random, [new SizeChange(0, first.Size == SceneSize.Big ? SceneSize.Small : SceneSize.Big)]),
            Choose(scene, random, ToyScenes.Backgrounds.Select(b => new BackgroundChange(b))),
            Choose(scene, random, [new NightFall()]),
            first.Size == SceneSize.Normal ? Choose(scene, random, ToyScenes.Kinds.Where(k => !ToyScenes.IsColourable(k)).Select(k => new AddObject(k))) : null,
        ];
        return [.. edits.OfType<SceneEdit>()];
    }

    /// <summary>Whether two kinds belong to the same group (animals, coloured things, the rest), so that a swap keeps the word count.</summary>
    internal static bool SameSort(SceneObjectKind a, SceneObjectKind b) =>
        CaptionGrammar.IsAnimal(a) == CaptionGrammar.IsAnimal(b) && ToyScenes.IsColourable(a) == ToyScenes.IsColourable(b);

    /// <summary>One of the edits that apply to a scene and lead to no combination that training never shows; null if there is none.</summary>
    internal static SceneEdit? Choose(SceneDescription scene, SceneRandom random, IEnumerable<SceneEdit> candidates)
    {
        SceneEdit[] possible = [.. candidates.Where(e => e.WhyNot(scene) is null && !MakesHeldOut(scene, e.Apply(scene)))];
        return possible.Length == 0 ? null : random.Pick(possible);
    }

    /// <summary>Whether an edit creates a combination that training never shows; a held-out scene may keep its own.</summary>
    internal static bool MakesHeldOut(SceneDescription source, SceneDescription target) =>
        target.Objects.Any(o =>
            ToyScenes.IsHeldOut(o.Kind, o.Colour, target.Background)
            && !(source.Background == target.Background && source.Objects.Any(s => s.Kind == o.Kind && s.Colour == o.Colour))
        );
}
