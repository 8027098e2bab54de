namespace NullTextResearch.Scenes;

/// <summary>How a scene is painted. The order is the class order of the scene classifier: append only.</summary>
public enum SceneStyle
{
    /// <summary>In full colour.</summary>
    Painted,

    /// <summary>Dark outlines and a pale wash of colour on white paper.</summary>
    Drawing,
}
