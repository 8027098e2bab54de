namespace NullTextResearch.Scenes;

/// <summary>Chooses sensible edits of a scene.</summary>
public static class SuggestedEdits
{
    /// <summary>
    /// Edits that make sense for a scene, the same ones whenever asked: for its first object a swap, a colour (where it
    /// has one) and a size, then a background, nightfall and a second object, each where possible. No edit leads to a
    /// combination that training never shows, so that they measure editing and not the model's imagination.
    /// </summary>
    /// <param name="scene">The scene before the edits.</param>
    /// <returns>
    /// Always a background change, and nearly always an object swap: it is missing where all kinds that would keep the
    /// number of words are in the scene already or held out on its background.
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

    /// <summary>Animals become animals, coloured things coloured things, the rest the rest: word counts stay equal.</summary>
    private static bool SameSort(SceneObjectKind a, SceneObjectKind b) =>
        CaptionGrammar.IsAnimal(a) == CaptionGrammar.IsAnimal(b) && ToyScenes.IsColourable(a) == ToyScenes.IsColourable(b);

    private static SceneEdit? Choose(SceneDescription scene, SceneRandom random, IEnumerable<SceneEdit> candidates)
    {
        // A held-out scene may keep its own rare combination; an edit must not make a new one.
        SceneEdit[] possible = [.. candidates.Where(e => e.WhyNot(scene) is null && !MakesHeldOut(scene, e.Apply(scene)))];
        return possible.Length == 0 ? null : random.Pick(possible);
    }

    private static bool MakesHeldOut(SceneDescription source, SceneDescription target) =>
        target.Objects.Any(o =>
            ToyScenes.IsHeldOut(o.Kind, o.Colour, target.Background)
            && !(source.Background == target.Background && source.Objects.Any(s => s.Kind == o.Kind && s.Colour == o.Colour))
        );
}
