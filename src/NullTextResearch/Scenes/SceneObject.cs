namespace NullTextResearch.Scenes;

/// <summary>One object of a scene. All lengths are fractions of the picture's side, so a scene renders at any size.</summary>
public sealed record SceneObject
{
    /// <summary>What it is.</summary>
    public required SceneObjectKind Kind { get; init; }

    /// <summary>Its colour; null if and only if the kind is not <see cref="ToyScenes.IsColourable">colourable</see>.</summary>
    public SceneColour? Colour { get; init; }

    /// <summary>Its size word.</summary>
    public SceneSize Size { get; init; } = SceneSize.Normal;

    /// <summary>Centre, from the left edge (0) to the right edge (1).</summary>
    public required double CentreX { get; init; }

    /// <summary>Centre, from the top (0) to the bottom (1).</summary>
    public required double CentreY { get; init; }

    /// <summary>Side of the sprite's square, as a fraction of the picture's side.</summary>
    public required double Side { get; init; }

    /// <summary>Whether the sprite is mirrored left to right.</summary>
    public bool Flip { get; init; }

    /// <summary>Clockwise rotation about the centre, in degrees.</summary>
    public double Rotation { get; init; }

    /// <summary>Brightness factor; 1 leaves the sprite as drawn.</summary>
    public double Light { get; init; } = 1;
}
