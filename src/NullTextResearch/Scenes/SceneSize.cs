namespace NullTextResearch.Scenes;

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
