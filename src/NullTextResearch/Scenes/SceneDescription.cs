namespace NullTextResearch.Scenes;

/// <summary>
/// Everything about one toy scene. Its rendering at a given size is a pure function of this record, and so are its <see cref="Caption"/>, its object masks and
/// the true result of any <see cref="SceneEdit"/>.
/// </summary>
public sealed record SceneDescription
{
    /// <summary>The setting.</summary>
    public required SceneBackground Background { get; init; }

    /// <summary>Seed of the background's details: horizon, clouds, hills. Kept by every edit.</summary>
    public required long BackgroundSeed { get; init; }

    /// <summary>Whether it is night; never true with <see cref="SceneBackground.Sunset"/>.</summary>
    public bool Night { get; init; }

    /// <summary>Its weather; always clear at night and in a drawing.</summary>
    public SceneWeather Weather { get; init; }

    /// <summary>Amount of rain or fog, 0 (hardly any) to 1 (the maximum); has no effect in clear weather.</summary>
    public double WeatherAmount { get; init; } = 0.5;

    /// <summary>How it is painted.</summary>
    public SceneStyle Style { get; init; }

    /// <summary>One or two objects, drawn in this order: later ones hide earlier ones.</summary>
    public required IReadOnlyList<SceneObject> Objects { get; init; }

    /// <summary>The complete and true caption, e.g. "a red car in the desert at night". Lower case, plain ASCII.</summary>
    public string Caption => CaptionGrammar.Describe(this);

    /// <summary>Whether any object forms a combination that training scenes never show.</summary>
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
