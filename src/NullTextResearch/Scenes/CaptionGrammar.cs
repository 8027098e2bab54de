using System.Text;

namespace NullTextResearch.Scenes;

/// <summary>How noisy training captions are. Probabilities are 0..1 and independent of each other.</summary>
/// <remarks>Empty captions train the unconditional branch; dropped words widen it; wrong words keep guidance from pushing without limit.</remarks>
public sealed record CaptionNoise
{
    /// <summary>No caption at all. Default 0.15.</summary>
    public double Empty { get; init; } = 0.15;

    /// <summary>The background is not mentioned. Default 0.15.</summary>
    public double DropBackground { get; init; } = 0.15;

    /// <summary>The colour is not mentioned (drawn per object). Default 0.35.</summary>
    public double DropColour { get; init; } = 0.35;

    /// <summary>The size is not mentioned (drawn per object). Default 0.35.</summary>
    public double DropSize { get; init; } = 0.35;

    /// <summary>Night is not mentioned. Default 0.25.</summary>
    public double DropNight { get; init; } = 0.25;

    /// <summary>The second object is not mentioned. Default 0.2.</summary>
    public double DropSecondObject { get; init; } = 0.2;

    /// <summary>"animal" or "thing" instead of the noun (drawn per object). Default 0.08.</summary>
    public double GenericNoun { get; init; } = 0.08;

    /// <summary>The noun of another kind (drawn per object). Default 0.10.</summary>
    public double WrongObject { get; init; } = 0.10;

    /// <summary>
    /// Another background. Default 0: a background shows in the mean colour of even the noisiest latents, so a model that has met
    /// wrong ones believes its eyes, and no edit of the background gets through.
    /// </summary>
    public double WrongBackground { get; init; }

    /// <summary>Another colour (drawn per object). Default 0.12.</summary>
    public double WrongColour { get; init; } = 0.12;

    /// <summary>"a photo of" or "a picture of" in front. Default 0.10.</summary>
    public double Prefix { get; init; } = 0.10;

    /// <summary>True and complete captions, every tenth of them empty.</summary>
    public static CaptionNoise Clean { get; } = new()
    {
        Empty = 0.10,
        DropBackground = 0,
        DropColour = 0,
        DropSize = 0,
        DropNight = 0,
        DropSecondObject = 0,
        GenericNoun = 0,
        WrongObject = 0,
        WrongBackground = 0,
        WrongColour = 0,
        Prefix = 0,
    };

    /// <summary>The defaults: what the last part of training uses.</summary>
    public static CaptionNoise Noisy { get; } = new();
}

/// <summary>
/// The small language of captions:
/// <c>a [small|big] [colour] noun [next to a [colour] noun] (in|on) the place [at night]</c>. Every background takes
/// three words and no noun needs "an", so that swapping a word never changes the number of words.
/// </summary>
public static class CaptionGrammar
{
    private static readonly string[] _generic = ["animal", "thing"];

    /// <summary>Every word that a caption, clean or noisy, may contain, sorted by ordinal. Lower case, plain ASCII.</summary>
    public static IReadOnlyList<string> Words { get; } = CollectWords();

    /// <summary>The noun of a kind, e.g. "cat".</summary>
    /// <param name="kind">The kind.</param>
    public static string Noun(SceneObjectKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>The word of a colour, e.g. "red".</summary>
    /// <param name="colour">The colour.</param>
    public static string Word(SceneColour colour) => colour.ToString().ToLowerInvariant();

    /// <summary>The word of a size, or null for the size that needs none.</summary>
    /// <param name="size">The size.</param>
    public static string? Word(SceneSize size) => size switch
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
    public static string Phrase(SceneBackground background) =>
        (background is SceneBackground.Beach or SceneBackground.Ocean ? "on the " : "in the ") + Noun(background);

    /// <summary>The complete and true caption.</summary>
    /// <param name="scene">The scene.</param>
    public static string Describe(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        var text = new StringBuilder();
        for (int i = 0; i < scene.Objects.Count; i++)
        {
            var o = scene.Objects[i];
            Append(text, i == 0 ? "a" : "next to a");
            Append(text, Word(o.Size));
            Append(text, o.Colour is { } c ? Word(c) : null);
            Append(text, Noun(o.Kind));
        }
        Append(text, Phrase(scene.Background));
        Append(text, scene.Night ? "at night" : null);
        return text.ToString();
    }

    /// <summary>A training caption: the true one with parts left out, exchanged or missing altogether.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="random">The stream to draw from; it advances.</param>
    /// <param name="noise">The levels; null for <see cref="CaptionNoise.Noisy"/>. <see cref="CaptionNoise.Clean"/> only empties some.</param>
    /// <returns>The caption; possibly empty.</returns>
    public static string NoisyCaption(SceneDescription scene, SceneRandom random, CaptionNoise? noise = null)
    {
        ArgumentNullException.ThrowIfNull(scene);
        ArgumentNullException.ThrowIfNull(random);
        noise ??= CaptionNoise.Noisy;
        if (random.Chance(noise.Empty))
            return "";

        var text = new StringBuilder();
        if (random.Chance(noise.Prefix))
            Append(text, random.Chance(0.5) ? "a photo of" : "a picture of");
        bool one = random.Chance(noise.DropSecondObject);
        for (int i = 0; i < (one ? 1 : scene.Objects.Count); i++)
        {
            var o = scene.Objects[i];
            Append(text, i == 0 ? "a" : "next to a");
            string? size = random.Chance(noise.DropSize) ? null : Word(o.Size);
            var kind = random.Chance(noise.WrongObject) ? Other(o.Kind, ToyScenes.Kinds, random) : o.Kind;
            string noun = Noun(kind);
            if (random.Chance(noise.GenericNoun))
                noun = IsAnimal(kind) ? random.Pick(_generic) : "thing";
            Append(text, size);
            if (o.Colour is { } colour && !random.Chance(noise.DropColour))
                Append(text, Word(random.Chance(noise.WrongColour) ? Other(colour, ToyScenes.Colours, random) : colour));
            Append(text, noun);
        }
        if (!random.Chance(noise.DropBackground))
            Append(text, Phrase(random.Chance(noise.WrongBackground) ? Other(scene.Background, ToyScenes.Backgrounds, random) : scene.Background));
        if (scene.Night && !random.Chance(noise.DropNight))
            Append(text, "at night");
        return text.ToString();
    }

    /// <summary>The true caption, or nothing at the given rate.</summary>
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

    private static T Other<T>(T current, IReadOnlyList<T> all, SceneRandom random)
        where T : struct, Enum
    {
        T other;
        do
            other = random.Pick(all);
        while (other.Equals(current));
        return other;
    }

    private static void Append(StringBuilder text, string? words)
    {
        if (words is null)
            return;
        if (text.Length > 0)
            text.Append(' ');
        text.Append(words);
    }

    private static string[] CollectWords()
    {
        var words = new SortedSet<string>(StringComparer.Ordinal) { "a", "next", "to", "in", "on", "the", "at", "night", "small", "big", "photo", "picture", "of" };
        words.UnionWith(_generic);
        words.UnionWith(ToyScenes.Kinds.Select(Noun));
        words.UnionWith(ToyScenes.Colours.Select(Word));
        words.UnionWith(ToyScenes.Backgrounds.Select(Noun));
        return [.. words];
    }
}
