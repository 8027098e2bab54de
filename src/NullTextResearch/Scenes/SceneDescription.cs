namespace NullTextResearch.Scenes;

/// <summary>What can stand in a toy scene. The order is the class order of the scene classifier: append only.</summary>
public enum SceneObjectKind
{
    /// <summary>A yellow cat's face.</summary>
    Cat,

    /// <summary>A brown dog's face.</summary>
    Dog,

    /// <summary>An orange fox's face.</summary>
    Fox,

    /// <summary>A black and white panda's face.</summary>
    Panda,

    /// <summary>A green frog's face.</summary>
    Frog,

    /// <summary>A pink pig's face.</summary>
    Pig,

    /// <summary>A car, in any colour.</summary>
    Car,

    /// <summary>A balloon on a string, in any colour.</summary>
    Balloon,

    /// <summary>A round green tree.</summary>
    Tree,

    /// <summary>A mushroom with white dots, in any colour.</summary>
    Mushroom,

    /// <summary>A white rocket with red fins.</summary>
    Rocket,

    /// <summary>A small house with a red roof.</summary>
    House,
}

/// <summary>Where a toy scene plays. The order is the class order of the scene classifier: append only.</summary>
public enum SceneBackground
{
    /// <summary>Green hills under a blue sky.</summary>
    Meadow,

    /// <summary>Sand, a strip of turquoise sea, sky.</summary>
    Beach,

    /// <summary>Orange dunes under a pale yellow sky.</summary>
    Desert,

    /// <summary>White hills and pale firs.</summary>
    Snow,

    /// <summary>Dark green wood with brown trunks.</summary>
    Forest,

    /// <summary>Deep blue water to the horizon.</summary>
    Ocean,

    /// <summary>A skyline above a grey street.</summary>
    City,

    /// <summary>A low sun between purple hills.</summary>
    Sunset,
}

/// <summary>The colours that a <see cref="ToyScenes.IsColourable">colourable</see> object may have.</summary>
public enum SceneColour
{
    /// <summary>Red.</summary>
    Red,

    /// <summary>Blue.</summary>
    Blue,

    /// <summary>Green.</summary>
    Green,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Purple.</summary>
    Purple,
}

/// <summary>The size word of an object.</summary>
public enum SceneSize
{
    /// <summary>Side about 0.39 of the picture; caption "small".</summary>
    Small,

    /// <summary>Side about 0.53 of the picture; no word in the caption.</summary>
    Normal,

    /// <summary>Side about 0.70 of the picture; caption "big".</summary>
    Big,
}

/// <summary>What falls or hangs between the eye and the scene. The order is the class order of the scene classifier: append only.</summary>
public enum SceneWeather
{
    /// <summary>Nothing.</summary>
    Clear,

    /// <summary>Grey light and slanted streaks.</summary>
    Rain,

    /// <summary>A pale veil, thicker with distance.</summary>
    Fog,
}

/// <summary>How a scene is painted. The order is the class order of the scene classifier: append only.</summary>
public enum SceneStyle
{
    /// <summary>In full colour.</summary>
    Painted,

    /// <summary>Dark outlines and a pale wash of colour on white paper.</summary>
    Drawing,
}

/// <summary>Which scenes a seed draws from.</summary>
public enum SceneSplit
{
    /// <summary>Scenes for training: held-out combinations never occur.</summary>
    Train,

    /// <summary>Scenes never trained on: seeds of their own, and every fourth shows a held-out combination.</summary>
    HeldOut,
}

/// <summary>One object of a scene. All lengths are fractions of the picture's side, so a scene renders at any size.</summary>
public sealed record SceneObject
{
    /// <summary>What it is.</summary>
    public required SceneObjectKind Kind { get; init; }

    /// <summary>Its colour; null exactly for kinds that are not <see cref="ToyScenes.IsColourable">colourable</see>.</summary>
    public SceneColour? Colour { get; init; }

    /// <summary>Its size word.</summary>
    public SceneSize Size { get; init; } = SceneSize.Normal;

    /// <summary>Centre, from the left edge (0) to the right edge (1).</summary>
    public required double CentreX { get; init; }

    /// <summary>Centre, from the top (0) to the bottom (1).</summary>
    public required double CentreY { get; init; }

    /// <summary>Side of the square that holds the sprite, as a fraction of the picture's side.</summary>
    public required double Side { get; init; }

    /// <summary>Whether the sprite is mirrored left to right.</summary>
    public bool Flip { get; init; }

    /// <summary>Clockwise rotation about the centre, in degrees.</summary>
    public double Rotation { get; init; }

    /// <summary>Brightness factor; 1 leaves the sprite as drawn.</summary>
    public double Light { get; init; } = 1;
}

/// <summary>
/// Everything about one toy scene: rendering it at a given size is a pure function of this record, and so are its
/// <see cref="Caption"/>, its object masks and the truth of any <see cref="SceneEdit"/>.
/// </summary>
public sealed record SceneDescription
{
    /// <summary>Where it plays.</summary>
    public required SceneBackground Background { get; init; }

    /// <summary>Seed of the background's details: horizon, clouds, hills. Kept by every edit.</summary>
    public required long BackgroundSeed { get; init; }

    /// <summary>Whether it is night; never so with <see cref="SceneBackground.Sunset"/>.</summary>
    public bool Night { get; init; }

    /// <summary>Its weather; always clear by night and in a drawing.</summary>
    public SceneWeather Weather { get; init; }

    /// <summary>How much of it, 0 (hardly any) to 1 (as much as there can be); without effect where the weather is clear.</summary>
    public double WeatherAmount { get; init; } = 0.5;

    /// <summary>How it is painted.</summary>
    public SceneStyle Style { get; init; }

    /// <summary>One or two objects, drawn in this order: later ones hide earlier ones.</summary>
    public required IReadOnlyList<SceneObject> Objects { get; init; }

    /// <summary>The complete and true caption, e.g. "a red car in the desert at night". Lower case, plain ASCII.</summary>
    public string Caption => CaptionGrammar.Describe(this);

    /// <summary>Whether any object stands in a combination that training scenes never show.</summary>
    public bool HasHeldOutCombination => Objects.Any(o => ToyScenes.IsHeldOut(o.Kind, o.Colour, Background));

    /// <summary>Compares by content, objects included.</summary>
    /// <param name="other">The other scene.</param>
    public bool Equals(SceneDescription? other) =>
        other is not null
        && Background == other.Background
        && BackgroundSeed == other.BackgroundSeed
        && Night == other.Night
        && Weather == other.Weather
        && WeatherAmount.Equals(other.WeatherAmount)
        && Style == other.Style
        && Objects.SequenceEqual(other.Objects);

    /// <summary>A hash that agrees with <see cref="Equals(SceneDescription?)"/>.</summary>
    public override int GetHashCode()
    {
        HashCode hash = new HashCode();
        hash.Add(Background);
        hash.Add(BackgroundSeed);
        hash.Add(Night);
        hash.Add(Weather);
        hash.Add(WeatherAmount);
        hash.Add(Style);
        foreach (SceneObject o in Objects)
            hash.Add(o);
        return hash.ToHashCode();
    }
}
