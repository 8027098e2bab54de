namespace NullTextResearch.Scenes;

/// <summary>Adds a second object in the free space next to the only one, standing on the same line.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Colour">Its colour; required for colourable kinds, otherwise null.</param>
public sealed record AddObject(SceneObjectKind Kind, SceneColour? Colour = null) : SceneEdit
{
    // The range of sides that training uses for objects that share a scene; they fit without touching.
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
            return $"The scene has {scene.Objects.Count} objects: an object can only be added to a scene with one object.";
        if (scene.Objects[0].Kind == Kind)
            return $"The scene already has a {CaptionGrammar.Noun(Kind)}: add another kind.";
        if (ToyScenes.IsColourable(Kind) == Colour is null)
            return Colour is null
                ? $"A {CaptionGrammar.Noun(Kind)} needs a colour: name one."
                : $"A {CaptionGrammar.Noun(Kind)} comes in one colour only: leave the colour out.";
        return Room(scene.Objects[0]).Side < SmallestSide ? "There is no room next to the object: it is too big or too close to the middle." : null;
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
