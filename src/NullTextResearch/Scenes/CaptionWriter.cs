using System.Text;

namespace NullTextResearch.Scenes;

/// <summary>A caption, with the tokens that name visible things.</summary>
/// <param name="Text">The caption; possibly empty.</param>
/// <param name="Named">The tokens that name a thing (its noun, colour and size) or the place.</param>
/// <param name="Tokens">Number of tokens: its words and commas.</param>
internal sealed record WrittenCaption(string Text, IReadOnlyList<NamedThing> Named, int Tokens);

/// <summary>A token that names something with a location in the picture.</summary>
/// <param name="Token">Its row in the context: the first word of a caption is 1, after start-of-text. Every word and every comma is one token.</param>
/// <param name="Object">Index of the object, or null for the place around all objects.</param>
internal readonly record struct NamedThing(int Token, int? Object);

/// <summary>What a caption says about an object.</summary>
/// <param name="Index">Which object of the scene.</param>
/// <param name="Noun">Its noun, which may be a generic one.</param>
/// <param name="Kind">Its kind if the noun names it; null for "animal" and "thing".</param>
/// <param name="Colour">Its colour; null if not mentioned.</param>
/// <param name="Size">Its size; <see cref="SceneSize.Normal"/> if not mentioned.</param>
internal sealed record NamedObject(int Index, string Noun, SceneObjectKind? Kind, SceneColour? Colour, SceneSize Size);

/// <summary>What a caption says: the facts of the scene, or a noisy subset of them.</summary>
/// <param name="Objects">One or two.</param>
/// <param name="FirstIsLeft">Whether the first of two objects is on the left; null if only one is named.</param>
/// <param name="Background">The place; null if not mentioned.</param>
/// <param name="Night">Whether night is mentioned.</param>
/// <param name="Weather">The weather; clear if not mentioned.</param>
/// <param name="Style">The style; painted if not mentioned.</param>
internal sealed record CaptionFacts(
    IReadOnlyList<NamedObject> Objects,
    bool? FirstIsLeft,
    SceneBackground? Background,
    bool Night,
    SceneWeather Weather,
    SceneStyle Style
);

/// <summary>Joins words into a caption and counts its tokens.</summary>
internal sealed class CaptionWriter
{
    private readonly StringBuilder _text = new();
    private readonly List<NamedThing> _named = [];
    private int _tokens;

    /// <summary>Adds words, separated by single spaces; null adds nothing.</summary>
    public CaptionWriter Add(string? words)
    {
        if (string.IsNullOrEmpty(words))
            return this;
        if (_text.Length > 0)
            _text.Append(' ');
        _text.Append(words);
        _tokens += words.Count(c => c == ' ') + 1;
        return this;
    }

    /// <summary>Adds one word that names an object, or the place if <paramref name="thing"/> is null.</summary>
    public CaptionWriter Name(string? word, int? thing)
    {
        if (string.IsNullOrEmpty(word))
            return this;
        Add(word);
        _named.Add(new NamedThing(_tokens, thing));
        return this;
    }

    /// <summary>Adds a comma, except at the beginning or after another comma.</summary>
    public CaptionWriter Comma()
    {
        if (_text.Length == 0 || _text[^1] == ',')
            return this;
        _text.Append(',');
        _tokens++;
        return this;
    }

    public WrittenCaption Done() => new(_text.ToString(), _named, _tokens);
}

/// <summary>
/// Phrases facts in many ways: synonyms, fillers, different orders of clauses, and relations between two things that may or may not name their sides. Every
/// preposition and article occurs equally often before every kind of place, so none of them gives the place away.
/// </summary>
internal static class FreeCaption
{
    private static readonly Dictionary<string, string[]> OtherWords = new(StringComparer.Ordinal)
    {
        ["cat"] = ["kitten", "kitty"],
        ["dog"] = ["puppy", "hound"],
        ["panda"] = ["bear"],
        ["frog"] = ["toad"],
        ["pig"] = ["piglet"],
        ["car"] = ["vehicle"],
        ["mushroom"] = ["toadstool"],
        ["rocket"] = ["spaceship"],
        ["house"] = ["home", "cottage"],
        ["meadow"] = ["field", "grass"],
        ["beach"] = ["shore", "sand"],
        ["desert"] = ["dunes"],
        ["snow"] = ["winter"],
        ["forest"] = ["woods"],
        ["ocean"] = ["sea", "water"],
        ["city"] = ["town", "street"],
        ["sunset"] = ["dusk", "twilight"],
        ["red"] = ["scarlet"],
        ["purple"] = ["violet"],
        ["small"] = ["little", "tiny"],
        ["big"] = ["large", "huge"],
    };

    private static readonly string[] Fillers = ["a photo of", "a picture of", "there is", "here is", "this is", "we see", "a view of"];
    private static readonly string[] Articles = ["a", "the", "one", ""];
    private static readonly string[] Prepositions = ["in", "on", "at", "by"];
    private static readonly string[] Relations = ["next to", "beside", "and", "with", "near", "by"];
    private static readonly string[] NightWords = ["at night", "by night", "in the dark", "in the moonlight"];
    private static readonly string[] RainWords = ["in the rain", "on a rainy day", "in rainy weather", "with rain"];
    private static readonly string[] FogWords = ["in the fog", "on a foggy day", "in foggy weather", "with fog"];
    private static readonly string[] DrawingWords = ["a drawing of", "a sketch of", "a pencil drawing of"];
    private static readonly string[] Drawn = ["a drawing", "as a sketch", "drawn with a pencil"];

    /// <summary>Every word that a free caption may contain in addition to those of the plain form.</summary>
    public static IEnumerable<string> Words =>
        (
            (IEnumerable<string>[])
                [
                    OtherWords.Values.SelectMany(w => w),
                    Fillers,
                    Articles,
                    Prepositions,
                    Relations,
                    NightWords,
                    RainWords,
                    FogWords,
                    DrawingWords,
                    Drawn,
                    ["that is", "on the left", "on the right", "to the left of", "to the right of"],
                ]
        )
            .SelectMany(w => w)
            .SelectMany(w => w.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Maximum number of tokens of a caption: a context of 29 rows minus start- and end-of-text.</summary>
    internal const int MostTokens = 27;

    /// <summary>Writes a caption of at most <see cref="MostTokens"/> tokens.</summary>
    public static WrittenCaption Write(CaptionFacts facts, SceneRandom random)
    {
        WrittenCaption caption;
        do caption = WriteOnce(facts, random);
        while (caption.Tokens > MostTokens);
        return caption;
    }

    private static WrittenCaption WriteOnce(CaptionFacts facts, SceneRandom random)
    {
        CaptionWriter text = new();
        string? air = facts.Night
            ? Some(NightWords, random)
            : facts.Weather switch
            {
                SceneWeather.Rain => Some(RainWords, random),
                SceneWeather.Fog => Some(FogWords, random),
                _ => null,
            };
        bool drawn = facts.Style == SceneStyle.Drawing,
            drawnFirst = random.Chance(0.7);
        string? opening = random.Chance(0.4) ? random.Pick(Fillers) : null;
        if (drawn && drawnFirst)
            opening = Some(DrawingWords, random);
        double order = random.NextDouble(),
            airDice = random.NextDouble();
        // Position of the words for night or weather: at the front, in the middle or, mostly, at the end.
        bool airFirst = airDice < 0.15,
            airMiddle = !airFirst && airDice < 0.35;
        if (airFirst)
            text.Add(air).Comma();
        if (order < 0.6 || facts.Background is null)
        {
            text.Add(opening);
            Things(text, facts, random);
            if (airMiddle)
                text.Add(air);
            Place(text, facts.Background, random, bare: false);
        }
        else if (order < 0.8)
        {
            Place(text, facts.Background, random, bare: random.Chance(0.3));
            text.Comma().Add(opening);
            Things(text, facts, random);
            if (airMiddle)
                text.Add(air);
        }
        else
        {
            text.Add(opening);
            PlaceNoun(text, facts.Background, random);
            text.Add(random.Chance(0.5) ? "with" : "and");
            Things(text, facts, random);
            if (airMiddle)
                text.Add(air);
        }

        if (!airFirst && !airMiddle)
            text.Add(air);
        if (drawn && !drawnFirst)
            text.Comma().Add(random.Pick(Drawn));
        return text.Done();
    }

    private static void Things(CaptionWriter text, CaptionFacts facts, SceneRandom random)
    {
        if (facts.Objects.Count == 1)
        {
            Thing(text, facts.Objects[0], random);
            return;
        }

        bool turned = random.Chance(0.5);
        NamedObject first = facts.Objects[turned ? 1 : 0],
            second = facts.Objects[turned ? 0 : 1];
        bool firstIsLeft = facts.FirstIsLeft!.Value != turned;
        double dice = random.NextDouble();
        if (dice < 0.62)
        {
            Thing(text, first, random);
            text.Add(Some(Relations, random));
            Thing(text, second, random);
        }
        else if (dice < 0.86)
        {
            Thing(text, first, random);
            text.Add(firstIsLeft ? "to the left of" : "to the right of");
            Thing(text, second, random);
        }
        else
        {
            Thing(text, first, random);
            text.Add(firstIsLeft ? "on the left and" : "on the right and");
            Thing(text, second, random);
            text.Add(firstIsLeft ? "on the right" : "on the left");
        }
    }

    private static void Thing(CaptionWriter text, NamedObject thing, SceneRandom random)
    {
        text.Add(Some(Articles, random));
        text.Name(Synonym(CaptionGrammar.Word(thing.Size), random), thing.Index);
        string? colour = thing.Colour is { } c ? Synonym(CaptionGrammar.Word(c), random) : null;
        bool after = random.Chance(0.08);
        if (!after)
            text.Name(colour, thing.Index);
        text.Name(Synonym(thing.Noun, random), thing.Index);
        if (after && colour is not null)
            text.Add("that is").Name(colour, thing.Index);
    }

    private static void Place(CaptionWriter text, SceneBackground? place, SceneRandom random, bool bare)
    {
        if (place is null)
            return;
        if (!bare)
            text.Add(Some(Prepositions, random));
        PlaceNoun(text, place, random);
    }

    private static void PlaceNoun(CaptionWriter text, SceneBackground? place, SceneRandom random)
    {
        double dice = random.NextDouble();
        text.Add(
            dice < 0.7 ? "the"
            : dice < 0.85 ? "a"
            : null
        );
        text.Name(Synonym(CaptionGrammar.Noun(place!.Value), random), null);
    }

    /// <summary>Half of the time the first and plainest way, otherwise any.</summary>
    private static string Some(string[] ways, SceneRandom random) => random.Chance(0.5) ? ways[0] : random.Pick(ways);

    private static string? Synonym(string? word, SceneRandom random)
    {
        bool other = random.Chance(0.3);
        return word is not null && other && OtherWords.TryGetValue(word, out string[]? words) ? random.Pick(words) : word;
    }
}
