using NullTextResearch.Scenes;

namespace NullTextResearch.Training;

/// <summary>What a <see cref="SceneClassifier"/> sees in one picture. Indices follow the enums' order.</summary>
/// <param name="Objects">Probability that each <see cref="SceneObjectKind"/> is in the picture, 0 to 1, independent of each other.</param>
/// <param name="Backgrounds">Probability of each <see cref="SceneBackground"/>; sums to 1.</param>
/// <param name="Colours">
/// Probability of each <see cref="SceneColour"/> for the coloured object (the likeliest one if there are several); sums to 1, meaningless if none is coloured.
/// </param>
public sealed record SceneJudgement(IReadOnlyList<float> Objects, IReadOnlyList<float> Backgrounds, IReadOnlyList<float> Colours)
{
    /// <summary>
    /// Probability of each <see cref="SceneColour"/> by kind, for <see cref="ToyScenes.IsColourable">colourable</see> kinds; sums to 1, meaningless if the kind
    /// is absent. Empty for a classifier of the first domain, as are all properties below.
    /// </summary>
    public IReadOnlyDictionary<SceneObjectKind, IReadOnlyList<float>> ColoursOf { get; init; } = new Dictionary<SceneObjectKind, IReadOnlyList<float>>();

    /// <summary>Probability that each kind is to the left of another object; meaningless if it is alone or absent.</summary>
    public IReadOnlyList<float> Left { get; init; } = [];

    /// <summary>Probability of day and of night; sums to 1.</summary>
    public IReadOnlyList<float> Nights { get; init; } = [];

    /// <summary>Probability of each <see cref="SceneWeather"/>; sums to 1.</summary>
    public IReadOnlyList<float> Weathers { get; init; } = [];

    /// <summary>Probability of each <see cref="SceneStyle"/>; sums to 1.</summary>
    public IReadOnlyList<float> Styles { get; init; } = [];

    /// <summary>The likeliest object.</summary>
    public SceneObjectKind Object => (SceneObjectKind)IndexOfLargest(Objects);

    /// <summary>The likeliest background.</summary>
    public SceneBackground Background => (SceneBackground)IndexOfLargest(Backgrounds);

    /// <summary>The likeliest colour.</summary>
    public SceneColour Colour => (SceneColour)IndexOfLargest(Colours);

    /// <summary>Whether the scene's objects are exactly the likeliest ones: the top one for one object, the top two for two.</summary>
    public bool ObjectsAgree(SceneDescription scene) =>
        scene
            .Objects.Select(o => (int)o.Kind)
            .ToHashSet()
            .SetEquals(Enumerable.Range(0, Objects.Count).OrderByDescending(i => Objects[i]).Take(scene.Objects.Count));

    /// <summary>The likeliest colour of a kind; for a classifier of the first domain, that of the coloured object, whatever its kind.</summary>
    /// <param name="kind">A colourable kind.</param>
    public SceneColour ColourOf(SceneObjectKind kind) =>
        ColoursOf.TryGetValue(kind, out IReadOnlyList<float>? colours) ? (SceneColour)IndexOfLargest(colours) : Colour;

    /// <summary>Whether every coloured object of the scene is seen in its own colour.</summary>
    public bool ColoursAgree(SceneDescription scene) => scene.Objects.All(o => o.Colour is not { } colour || ColourOf(o.Kind) == colour);

    /// <summary>Whether time of day, weather and style match the scene.</summary>
    public bool AirAgrees(SceneDescription scene) =>
        (Nights.Count == 0 || IndexOfLargest(Nights) == (scene.Night ? 1 : 0))
        && (Weathers.Count == 0 || IndexOfLargest(Weathers) == (int)scene.Weather)
        && (Styles.Count == 0 || IndexOfLargest(Styles) == (int)scene.Style);

    /// <summary>Whether the left one of two objects is seen on the left; true for one object.</summary>
    public bool SidesAgree(SceneDescription scene)
    {
        if (scene.Objects.Count < 2 || Left.Count == 0)
            return true;
        int left = scene.Objects[0].CentreX < scene.Objects[1].CentreX ? 0 : 1;
        return Left[(int)scene.Objects[left].Kind] > Left[(int)scene.Objects[1 - left].Kind];
    }

    private static int IndexOfLargest(IReadOnlyList<float> values) => Enumerable.Range(0, values.Count).MaxBy(i => values[i]);
}
