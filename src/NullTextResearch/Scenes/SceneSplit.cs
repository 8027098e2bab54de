namespace NullTextResearch.Scenes;

/// <summary>Which scenes a seed draws from.</summary>
public enum SceneSplit
{
    /// <summary>Scenes for training: held-out combinations never occur.</summary>
    Train,

    /// <summary>Scenes never trained on: seeds of their own, and every fourth shows a held-out combination.</summary>
    HeldOut,
}
