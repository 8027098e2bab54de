namespace NullTextResearch.Scenes;

/// <summary>How the captions of an edit differ, in prompt-to-prompt's terms.</summary>
public enum SceneEditKind
{
    /// <summary>Both captions have the same number of words; some are exchanged in place.</summary>
    WordSwap,

    /// <summary>The captions differ in length: words are added (or removed) and the others keep their order.</summary>
    Refinement,
}

/// <summary>
/// A change of a scene whose true result is known: <see cref="Apply"/> changes exactly what the edit names and keeps
/// place, light, rotation and every seed.
/// </summary>
public abstract record SceneEdit
{
    private protected SceneEdit() { }

    /// <summary>Index of the object that the edit changes, adds or removes; null where it changes the surroundings.</summary>
    public abstract int? ObjectIndex { get; }

    /// <summary>Index of that object before the edit; null where it is not there yet.</summary>
    internal virtual int? IndexBefore => ObjectIndex;

    /// <summary>Index of that object after the edit; null where it is gone.</summary>
    internal virtual int? IndexAfter => ObjectIndex;

    /// <summary>Whether it changes place and objects alike.</summary>
    internal virtual bool IsEverywhere => false;

    /// <summary>Why the edit makes no sense for this scene, or null where it does.</summary>
    /// <param name="scene">The scene before the edit.</param>
    public abstract string? WhyNot(SceneDescription scene);

    /// <summary>The edited scene.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit makes no sense for this scene; the message is <see cref="WhyNot"/>.</exception>
    public SceneDescription Apply(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return WhyNot(scene) is { } reason ? throw new ArgumentException(reason, nameof(scene)) : Change(scene);
    }

    /// <summary>Both scenes, both captions and what differs between them.</summary>
    /// <param name="scene">The scene before the edit.</param>
    /// <exception cref="ArgumentException">The edit makes no sense for this scene.</exception>
    public SceneEditPlan Plan(SceneDescription scene) => new(this, scene, Apply(scene));

    private protected abstract SceneDescription Change(SceneDescription scene);

    private protected static string? MissingObject(SceneDescription scene, int index) =>
        index >= 0 && index < scene.Objects.Count
            ? null
            : $"The scene '{scene.Caption}' has {scene.Objects.Count} object(s): object index {index} does not exist.";

    private protected static SceneDescription With(SceneDescription scene, int index, Func<SceneObject, SceneObject> change) =>
        scene with
        {
            Objects = [.. scene.Objects.Select((o, i) => i == index ? change(o) : o)],
        };
}

/// <summary>Another kind of object in the same place, e.g. a cat becomes a dog.</summary>
/// <param name="Index">Which object.</param>
/// <param name="To">Its new kind.</param>
/// <param name="Colour">Its new colour; null keeps the colour where both kinds have one.</param>
public sealed record ObjectSwap(int Index, SceneObjectKind To, SceneColour? Colour = null) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (MissingObject(scene, Index) is { } missing)
            return missing;
        if (scene.Objects.Any(o => o.Kind == To))
            return $"The scene '{scene.Caption}' has a {CaptionGrammar.Noun(To)} already: choose another kind.";
        if (ToyScenes.IsColourable(To) && Colour is null && scene.Objects[Index].Colour is null)
            return $"A {CaptionGrammar.Noun(To)} needs a colour, and the {CaptionGrammar.Noun(scene.Objects[Index].Kind)} that it replaces has none: name one.";
        return !ToyScenes.IsColourable(To) && Colour is not null ? $"A {CaptionGrammar.Noun(To)} comes in one colour only: leave the colour out." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) =>
        With(scene, Index, o => o with { Kind = To, Colour = ToyScenes.IsColourable(To) ? Colour ?? o.Colour : null });
}

/// <summary>Another colour of the same object.</summary>
/// <param name="Index">Which object; it must be <see cref="ToyScenes.IsColourable">colourable</see>.</param>
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
        return o.Colour == To ? $"The {CaptionGrammar.Noun(o.Kind)} is {CaptionGrammar.Word(To)} already." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) => With(scene, Index, o => o with { Colour = To });
}

/// <summary>
/// Another size of the same object: the middle of the size word's range, feet in the same place (moved only as far as
/// the object needs to stay in the picture).
/// </summary>
/// <param name="Index">Which object.</param>
/// <param name="To">Its new size word.</param>
public sealed record SizeChange(int Index, SceneSize To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (MissingObject(scene, Index) is { } missing)
            return missing;
        if (scene.Objects.Count > 1)
            return "Objects that share a scene share its width: change the size of a single object only.";
        return scene.Objects[Index].Size == To ? $"The object has the size '{To}' already." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) =>
        With(
            scene,
            Index,
            o =>
            {
                (double low, double high) = ToyScenes.SideRange(To);
                double side = (low + high) / 2,
                    feet = Math.Clamp(o.CentreY + (o.Side / 2), side + 0.03, 0.95);
                return o with { Size = To, Side = side, CentreX = Math.Clamp(o.CentreX, (side / 2) + 0.02, 0.98 - (side / 2)), CentreY = feet - (side / 2) };
            }
        );
}

/// <summary>The same objects elsewhere, with the same horizon and sun.</summary>
/// <param name="To">The new background.</param>
public sealed record BackgroundChange(SceneBackground To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Background == To)
            return $"The scene plays {CaptionGrammar.Phrase(To)} already.";
        return scene.Night && !ToyScenes.AllowsNight(To) ? $"'{CaptionGrammar.Phrase(To)}' has no night version, and this scene plays at night." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Background = To };
}

/// <summary>The same scene at night.</summary>
public sealed record NightFall : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Night)
            return "The scene plays at night already.";
        if (scene.Weather != SceneWeather.Clear)
            return "By night the weather is always clear, and here it is not.";
        return ToyScenes.AllowsNight(scene.Background) ? null : $"'{CaptionGrammar.Phrase(scene.Background)}' has no night version.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Night = true };
}

/// <summary>The same scene in other weather.</summary>
/// <param name="To">The new weather.</param>
public sealed record WeatherChange(SceneWeather To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Weather == To)
            return $"The weather of the scene is '{To}' already.";
        return ToyScenes.AllowsWeather(scene) ? null : "By night and in a drawing the weather is always clear.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Weather = To };
}

/// <summary>More or less of the weather that is there: what re-weighting its word asks for. The caption stays.</summary>
/// <param name="To">The new <see cref="SceneDescription.WeatherAmount"/>, 0 to 1.</param>
public sealed record WeatherAmountChange(double To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Weather == SceneWeather.Clear)
            return "The weather is clear: there is nothing of which there could be more.";
        return To is >= 0 and <= 1
            ? null
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The amount of weather is {To}; expected 0 to 1.");
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { WeatherAmount = To };
}

/// <summary>The same scene in another style.</summary>
/// <param name="To">The new style.</param>
public sealed record StyleChange(SceneStyle To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Style == To)
            return $"The scene has the style '{To}' already.";
        return To == SceneStyle.Painted || scene.Weather == SceneWeather.Clear ? null : "In a drawing the weather is always clear, and here it is not.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Style = To };
}

/// <summary>One of two objects is gone; the other stays where it is.</summary>
/// <param name="Index">Which object goes.</param>
public sealed record RemoveObject(int Index) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => Index;

    internal override int? IndexAfter => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return scene.Objects.Count > 1 ? MissingObject(scene, Index) : "The scene has one object alone, and no scene is empty.";
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { Objects = [.. scene.Objects.Where((_, i) => i != Index)] };
}

/// <summary>A second object in the free space beside the only one, its feet on the same line.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Colour">Its colour; needed exactly for colourable kinds.</param>
public sealed record AddObject(SceneObjectKind Kind, SceneColour? Colour = null) : SceneEdit
{
    // Sides that training uses for objects that share a scene, and that fit without touching.
    private const double SmallestSide = 0.36;
    private const double LargestSide = 0.43;

    /// <inheritdoc/>
    public override int? ObjectIndex => 1;

    internal override int? IndexBefore => null;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Objects.Count != 1)
            return $"The scene has {scene.Objects.Count} objects: an object can be added to exactly one.";
        if (scene.Objects[0].Kind == Kind)
            return $"The scene has a {CaptionGrammar.Noun(Kind)} already: add another kind.";
        if (ToyScenes.IsColourable(Kind) == Colour is null)
            return Colour is null
                ? $"A {CaptionGrammar.Noun(Kind)} needs a colour: name one."
                : $"A {CaptionGrammar.Noun(Kind)} comes in one colour only: leave the colour out.";
        return Room(scene.Objects[0]).Side < SmallestSide ? "There is no room beside the object: it is too big or too close to the middle." : null;
    }

    private protected override SceneDescription Change(SceneDescription scene)
    {
        SceneObject first = scene.Objects[0];
        (double side, double centreX) = Room(first);
        SceneObject added = new SceneObject
        {
            Kind = Kind,
            Colour = Colour,
            Side = side,
            CentreX = centreX,
            CentreY = first.CentreY + ((first.Side - side) / 2),
            Light = first.Light,
        };
        return scene with { Objects = [first, added] };
    }

    private static (double Side, double CentreX) Room(SceneObject o)
    {
        double left = o.CentreX - (o.Side / 2),
            right = 1 - o.CentreX - (o.Side / 2),
            room = Math.Max(left, right);
        double side = Math.Min(LargestSide, room - 0.02);
        return (side, left > right ? left - (room / 2) : 1 - (room / 2));
    }
}

/// <summary>An edit of one scene, written out: both scenes, both captions, and the words that differ.</summary>
public sealed record SceneEditPlan
{
    internal SceneEditPlan(SceneEdit edit, SceneDescription source, SceneDescription target)
    {
        Edit = edit;
        Source = source;
        Target = target;
        SourceCaption = source.Caption;
        TargetCaption = target.Caption;
        string[] from = SourceCaption.Split(' '),
            to = TargetCaption.Split(' ');
        Kind = from.Length == to.Length ? SceneEditKind.WordSwap : SceneEditKind.Refinement;
        (SourceWordIndices, TargetWordIndices) = Kind == SceneEditKind.WordSwap ? InPlace(from, to) : ByAlignment(from, to);
        SourceWords = [.. SourceWordIndices.Select(i => from[i])];
        TargetWords = [.. TargetWordIndices.Select(i => to[i])];
    }

    /// <summary>The edit.</summary>
    public SceneEdit Edit { get; }

    /// <summary>The scene before the edit.</summary>
    public SceneDescription Source { get; }

    /// <summary>The scene after the edit: rendering it gives the true result.</summary>
    public SceneDescription Target { get; }

    /// <summary>The caption before the edit.</summary>
    public string SourceCaption { get; }

    /// <summary>The caption after the edit.</summary>
    public string TargetCaption { get; }

    /// <summary>Word swap where the captions have equally many words, else refinement.</summary>
    public SceneEditKind Kind { get; }

    /// <summary>Positions of the words of <see cref="SourceCaption"/> that are exchanged or removed, from 0, ascending.</summary>
    public IReadOnlyList<int> SourceWordIndices { get; }

    /// <summary>Positions of the words of <see cref="TargetCaption"/> that are new, from 0, ascending.</summary>
    public IReadOnlyList<int> TargetWordIndices { get; }

    /// <summary>The words at <see cref="SourceWordIndices"/>.</summary>
    public IReadOnlyList<string> SourceWords { get; }

    /// <summary>The words at <see cref="TargetWordIndices"/>.</summary>
    public IReadOnlyList<string> TargetWords { get; }

    /// <summary>The word of the source caption that shows where the edit happens (for a local blend), or null where no word does.</summary>
    public string? SourceBlendWord => Noun(Source, Edit.IndexBefore);

    /// <summary>The word of the target caption that shows where the edit happens, or null where it happens everywhere.</summary>
    public string? TargetBlendWord => Noun(Target, Edit.IndexAfter);

    private static string? Noun(SceneDescription scene, int? index) => index is { } i ? CaptionGrammar.Noun(scene.Objects[i].Kind) : null;

    private static (int[] From, int[] To) InPlace(string[] from, string[] to)
    {
        int[] changed = [.. Enumerable.Range(0, from.Length).Where(i => from[i] != to[i])];
        return (changed, changed);
    }

    /// <summary>What a longest common subsequence leaves over.</summary>
    private static (int[] From, int[] To) ByAlignment(string[] from, string[] to)
    {
        int[,] length = new int[from.Length + 1, to.Length + 1];
        for (int i = from.Length - 1; i >= 0; i--)
        for (int j = to.Length - 1; j >= 0; j--)
            length[i, j] = from[i] == to[j] ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        List<int> removed = [],
            added = [];
        int a = 0,
            b = 0;
        while (a < from.Length || b < to.Length)
        {
            if (a < from.Length && b < to.Length && from[a] == to[b])
            {
                a++;
                b++;
            }
            else if (b < to.Length && (a == from.Length || length[a, b + 1] >= length[a + 1, b]))
            {
                added.Add(b++);
            }
            else
            {
                removed.Add(a++);
            }
        }
        return ([.. removed], [.. added]);
    }
}
