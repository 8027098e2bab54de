namespace NullTextResearch.Scenes;

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
