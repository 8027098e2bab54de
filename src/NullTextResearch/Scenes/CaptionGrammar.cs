namespace NullTextResearch.Scenes;

/// <summary>
/// The grammar of captions. Its plain form is
/// <c>[a drawing of] a [small|big] [colour] noun [next to a [colour] noun] (in|on) the place [at night|in the rain|in the fog]</c>. Every background takes
/// three words and no noun needs "an", so swapping a word never changes the number of words. The free form says the same in other words and in a different
/// order.
/// </summary>
public static class CaptionGrammar
{
    private static readonly string[] Generic = ["animal", "thing"];

    /// <summary>Every word that a caption of the first domain, clean or noisy, may contain, sorted by ordinal. Lower case, plain ASCII.</summary>
    public static IReadOnlyList<string> Words { get; } = CollectWords([]);

    /// <summary>Every word that a caption of the second domain may contain, in the plain or the free form.</summary>
    internal static IReadOnlyList<string> FreeWords { get; } = CollectWords(["drawing", "rain", "fog", .. FreeCaption.Words]);

    /// <summary>The noun of a kind, e.g. "cat".</summary>
    /// <param name="kind">The kind.</param>
    public static string Noun(SceneObjectKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>The word of a colour, e.g. "red".</summary>
    /// <param name="colour">The colour.</param>
    public static string Word(SceneColour colour) => colour.ToString().ToLowerInvariant();

    /// <summary>The word of a size, or null for the normal size, which has none.</summary>
    /// <param name="size">The size.</param>
    public static string? Word(SceneSize size) =>
        size switch
        {
            SceneSize.Small => "small",
            SceneSize.Big => "big",
            _ => null,
        };

    /// <summary>The noun of a background, e.g. "beach".</summary>
    /// <param name="background">The background.</param>
    public static string Noun(SceneBackground background) => background.ToString().ToLowerInvariant();

    /// <summary>The three words of a background, e.g. "on the beach".</summary>
    /// <param name="background">The background.</param>
    public static string Phrase(SceneBackground background) => $"{Preposition(background)} the {Noun(background)}";

    private static string Preposition(SceneBackground background) => background is SceneBackground.Beach or SceneBackground.Ocean ? "on" : "in";

    /// <summary>The complete and true caption in the plain form.</summary>
    /// <param name="scene">The scene.</param>
    public static string Describe(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return Plain(Truth(scene), prefix: null).Text;
    }

    /// <summary>A complete and true caption in the free form, one of very many.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="random">The stream to draw from; it advances.</param>
    public static string DescribeFreely(SceneDescription scene, SceneRandom random)
    {
        ArgumentNullException.ThrowIfNull(scene);
        ArgumentNullException.ThrowIfNull(random);
        return FreeCaption.Write(Truth(scene), random).Text;
    }

    /// <summary>A training caption: the true one with parts dropped or replaced, or empty.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="random">The stream to draw from; it advances.</param>
    /// <param name="noise">The levels; null for <see cref="CaptionNoise.Noisy"/>. <see cref="CaptionNoise.Clean"/> only makes some of them empty.</param>
    /// <returns>The caption; possibly empty.</returns>
    public static string NoisyCaption(SceneDescription scene, SceneRandom random, CaptionNoise? noise = null) =>
        WriteNoisy(scene, random, noise ?? CaptionNoise.Noisy).Text;

    /// <summary>Like <see cref="NoisyCaption"/>, with the tokens that name visible things; a wrong word names nothing.</summary>
    internal static WrittenCaption WriteNoisy(SceneDescription scene, SceneRandom random, CaptionNoise noise)
    {
        ArgumentNullException.ThrowIfNull(scene);
        ArgumentNullException.ThrowIfNull(random);
        if (random.Chance(noise.Empty))
            return new WrittenCaption("", [], 0);

        string? prefix = random.Chance(noise.Prefix)
            ? random.Chance(0.5)
                ? "a photo of"
                : "a picture of"
            : null;
        bool one = random.Chance(noise.DropSecondObject);
        NamedObject Name(SceneObject o, int index)
        {
            SceneSize size = random.Chance(noise.DropSize) ? SceneSize.Normal : o.Size;
            SceneObjectKind kind = random.Chance(noise.WrongObject) ? Other(o.Kind, ToyScenes.Kinds, random) : o.Kind;
            bool generic = random.Chance(noise.GenericNoun);
            string noun = generic
                ? IsAnimal(kind)
                    ? random.Pick(Generic)
                    : "thing"
                : Noun(kind);
            SceneColour? colour =
                o.Colour is { } own && !random.Chance(noise.DropColour)
                    ? random.Chance(noise.WrongColour)
                        ? Other(own, ToyScenes.Colours, random)
                        : own
                    : null;
            return new NamedObject(index, noun, generic ? null : kind, colour, size);
        }

        NamedObject[] objects = [.. scene.Objects.Take(one ? 1 : scene.Objects.Count).Select(Name)];
        SceneBackground? place =
            random.Chance(noise.DropBackground) ? null
            : random.Chance(noise.WrongBackground) ? Other(scene.Background, ToyScenes.Backgrounds, random)
            : scene.Background;
        CaptionFacts facts = new(
            objects,
            FirstIsLeft(scene),
            place,
            scene.Night && !random.Chance(noise.DropNight),
            scene.Weather != SceneWeather.Clear && random.Chance(noise.DropWeather) ? SceneWeather.Clear : scene.Weather,
            scene.Style != SceneStyle.Painted && random.Chance(noise.DropStyle) ? SceneStyle.Painted : scene.Style
        );
        WrittenCaption caption = noise.Free > 0 && random.Chance(noise.Free) ? FreeCaption.Write(facts, random) : Plain(facts, prefix);
        return caption with { Named = [.. caption.Named.Where(n => IsTrue(n))] };

        bool IsTrue(NamedThing named) =>
            named.Object is { } index
                ? objects.All(o =>
                    o.Index != index || ((o.Kind is not { } k || k == scene.Objects[index].Kind) && (o.Colour is not { } c || c == scene.Objects[index].Colour))
                )
                : place == scene.Background;
    }

    /// <summary>The true caption, or an empty one at the given rate.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="random">The stream to draw from; it advances by one number.</param>
    /// <param name="emptyRate">Probability of the empty caption, 0..1.</param>
    public static string CleanCaption(SceneDescription scene, SceneRandom random, double emptyRate)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Chance(emptyRate) ? "" : Describe(scene);
    }

    /// <summary>Whether the kind is an animal, and so may be called "animal".</summary>
    /// <param name="kind">The kind.</param>
    internal static bool IsAnimal(SceneObjectKind kind) => kind <= SceneObjectKind.Pig;

    private static bool? FirstIsLeft(SceneDescription scene) => scene.Objects.Count > 1 ? scene.Objects[0].CentreX < scene.Objects[1].CentreX : null;

    private static CaptionFacts Truth(SceneDescription scene) =>
        new(
            [.. scene.Objects.Select((o, i) => new NamedObject(i, Noun(o.Kind), o.Kind, o.Colour, o.Size))],
            FirstIsLeft(scene),
            scene.Background,
            scene.Night,
            scene.Weather,
            scene.Style
        );

    private static WrittenCaption Plain(CaptionFacts facts, string? prefix)
    {
        CaptionWriter text = new();
        text.Add(facts.Style == SceneStyle.Drawing ? "a drawing of" : prefix);
        for (int i = 0; i < facts.Objects.Count; i++)
        {
            NamedObject o = facts.Objects[i];
            text.Add(i == 0 ? "a" : "next to a").Name(Word(o.Size), o.Index);
            text.Name(o.Colour is { } c ? Word(c) : null, o.Index).Name(o.Noun, o.Index);
        }
        if (facts.Background is { } place)
            text.Add(Preposition(place)).Add("the").Name(Noun(place), null);
        text.Add(
            facts.Night
                ? "at night"
                : facts.Weather switch
                {
                    SceneWeather.Rain => "in the rain",
                    SceneWeather.Fog => "in the fog",
                    _ => null,
                }
        );
        return text.Done();
    }

    private static T Other<T>(T current, IReadOnlyList<T> all, SceneRandom random)
        where T : struct, Enum
    {
        T other;
        do other = random.Pick(all);
        while (other.Equals(current));
        return other;
    }

    private static string[] CollectWords(IEnumerable<string> more)
    {
        SortedSet<string> words = new SortedSet<string>(StringComparer.Ordinal)
        {
            "a",
            "next",
            "to",
            "in",
            "on",
            "the",
            "at",
            "night",
            "small",
            "big",
            "photo",
            "picture",
            "of",
        };
        words.UnionWith(more);
        words.UnionWith(Generic);
        words.UnionWith(ToyScenes.Kinds.Select(Noun));
        words.UnionWith(ToyScenes.Colours.Select(Word));
        words.UnionWith(ToyScenes.Backgrounds.Select(Noun));
        return [.. words];
    }
}
