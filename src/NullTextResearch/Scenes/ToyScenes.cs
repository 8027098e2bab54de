namespace NullTextResearch.Scenes;

/// <summary>The toy scenes: what exists, what is held out, and which scene a seed produces.</summary>
public static class ToyScenes
{
    /// <summary>All kinds of objects, in class order.</summary>
    public static IReadOnlyList<SceneObjectKind> Kinds { get; } = Enum.GetValues<SceneObjectKind>();

    /// <summary>All backgrounds, in class order.</summary>
    public static IReadOnlyList<SceneBackground> Backgrounds { get; } = Enum.GetValues<SceneBackground>();

    /// <summary>All colours, in class order.</summary>
    public static IReadOnlyList<SceneColour> Colours { get; } = Enum.GetValues<SceneColour>();

    /// <summary>All weathers except clear.</summary>
    private static readonly SceneWeather[] Weathers = [SceneWeather.Rain, SceneWeather.Fog];

    private static readonly SceneObjectKind[] Colourable = [.. Kinds.Where(IsColourable)];

    /// <summary>Whether objects of this kind come in the five <see cref="SceneColour"/>s.</summary>
    /// <param name="kind">The kind.</param>
    public static bool IsColourable(SceneObjectKind kind) => kind is SceneObjectKind.Car or SceneObjectKind.Balloon or SceneObjectKind.Mushroom;

    /// <summary>Whether this background has a night version: all except sunset.</summary>
    /// <param name="background">The background.</param>
    public static bool AllowsNight(SceneBackground background) => background != SceneBackground.Sunset;

    /// <summary>Whether a scene can have rain or fog: only by day, and not in a drawing, where neither could be distinguished from pencil and paper.</summary>
    /// <param name="scene">The scene.</param>
    public static bool AllowsWeather(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return !scene.Night && scene.Style == SceneStyle.Painted;
    }

    /// <summary>
    /// Whether an object of this kind and colour on this background is held out: training scenes never show it. In training, each kind lacks one background,
    /// and each colour of a colourable kind lacks one more.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="colour">Its colour, null if it has none.</param>
    /// <param name="background">The background of the scene.</param>
    public static bool IsHeldOut(SceneObjectKind kind, SceneColour? colour, SceneBackground background)
    {
        int count = Backgrounds.Count;
        int missing = (((int)kind * 5) + 3) % count;
        if ((int)background == missing)
            return true;
        return colour is { } c && (int)background == (missing + 1 + (int)c) % count;
    }

    /// <summary>The scene of a seed. It is the same on every machine; the two splits never share a scene.</summary>
    /// <param name="seed">Any number; 0, 1, 2, ... give unrelated scenes.</param>
    /// <param name="split">Training or held-out scenes.</param>
    /// <param name="options">How often the varied parts occur; null for the defaults.</param>
    public static SceneDescription Sample(long seed, SceneSplit split, SceneSamplerOptions? options = null)
    {
        options ??= new SceneSamplerOptions();
        // The last bit distinguishes the splits, both in the stream's seed and in the background's.
        long bit = split == SceneSplit.HeldOut ? 1 : 0;
        SceneRandom random = new SceneRandom(unchecked((seed << 1) | bit));
        long backgroundSeed = unchecked(((long)random.NextBits() & ~1L) | bit);
        bool wantHeldOut = split == SceneSplit.HeldOut && random.Chance(options.HeldOutCombination);

        SceneBackground background;
        SceneObjectKind kind;
        SceneColour? colour;
        do
        {
            background = random.Pick(Backgrounds);
            kind = PickKind(options, random);
            colour = PickColour(kind, random);
        } while (IsHeldOut(kind, colour, background) != wantHeldOut);

        bool night = random.Chance(options.Night) && AllowsNight(background);
        IReadOnlyList<SceneObject> objects;
        if (random.Chance(options.SecondObject))
        {
            SceneObjectKind otherKind;
            SceneColour? otherColour;
            do
            {
                otherKind = PickKind(options, random);
                otherColour = PickColour(otherKind, random);
            } while (otherKind == kind || IsHeldOut(otherKind, otherColour, background));

            bool firstIsLeft = random.Chance(0.5);
            double left = random.Range(0.25, 0.29),
                right = random.Range(0.71, 0.75);
            SceneObject first = Place(kind, colour, SceneSize.Normal, random, random.Range(0.38, 0.45), firstIsLeft ? left : right);
            SceneObject second = Place(otherKind, otherColour, SceneSize.Normal, random, random.Range(0.38, 0.45), firstIsLeft ? right : left);
            // Their squares overlap by at most 0.03 of the picture, so either order of drawing looks right.
            objects = [first, second];
        }
        else
        {
            double dice = random.NextDouble();
            SceneSize size =
                dice < options.Small ? SceneSize.Small
                : dice < options.Small + options.Big ? SceneSize.Big
                : SceneSize.Normal;
            (double low, double high) = SideRange(size);
            double side = random.Range(low, high);
            double margin = Math.Max(0.26, (side / 2) + 0.02);
            objects = [Place(kind, colour, size, random, side, random.Range(margin, 1 - margin))];
        }

        // Drawn last, and only if requested, so that the scenes of a seed stay as they were before weather was introduced.
        SceneDescription scene = new()
        {
            Background = background,
            BackgroundSeed = backgroundSeed,
            Night = night,
            Style = options.Drawing > 0 && random.Chance(options.Drawing) ? SceneStyle.Drawing : SceneStyle.Painted,
            Objects = objects,
        };
        return options.Weather > 0 && random.Chance(options.Weather) && AllowsWeather(scene)
            ? scene with
            {
                Weather = random.Pick(Weathers),
                WeatherAmount = random.NextDouble(),
            }
            : scene;
    }

    /// <summary>The range of <see cref="SceneObject.Side"/> of a size word, as fractions of the picture's side.</summary>
    internal static (double Low, double High) SideRange(SceneSize size) =>
        size switch
        {
            SceneSize.Small => (0.36, 0.42),
            SceneSize.Normal => (0.48, 0.58),
            SceneSize.Big => (0.66, 0.74),
            _ => throw new ArgumentOutOfRangeException(nameof(size), size, "Expected small, normal or big."),
        };

    private static SceneObjectKind PickKind(SceneSamplerOptions options, SceneRandom random) =>
        random.Pick(options.Coloured > 0 && random.Chance(options.Coloured) ? Colourable : Kinds);

    private static SceneColour? PickColour(SceneObjectKind kind, SceneRandom random)
    {
        // One number is drawn in either case, so the stream does not depend on the kind.
        SceneColour colour = random.Pick(Colours);
        return IsColourable(kind) ? colour : null;
    }

    private static SceneObject Place(SceneObjectKind kind, SceneColour? colour, SceneSize size, SceneRandom random, double side, double centreX)
    {
        // The base stands on the ground: below every horizon, above the lower edge.
        double feet = random.Range(Math.Max(0.70, side + 0.05), 0.92);
        return new SceneObject
        {
            Kind = kind,
            Colour = colour,
            Size = size,
            CentreX = centreX,
            CentreY = feet - (side / 2),
            Side = side,
            Flip = random.Chance(0.5),
            Rotation = random.Range(-6, 6),
            Light = random.Range(0.94, 1.06),
        };
    }
}
