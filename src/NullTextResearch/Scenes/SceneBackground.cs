namespace NullTextResearch.Scenes;

/// <summary>The setting of a toy scene. The order is the class order of the scene classifier: append only.</summary>
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

    /// <summary>Dark green woods with brown trunks.</summary>
    Forest,

    /// <summary>Deep blue water to the horizon.</summary>
    Ocean,

    /// <summary>A skyline above a grey street.</summary>
    City,

    /// <summary>A low sun between purple hills.</summary>
    Sunset,
}
