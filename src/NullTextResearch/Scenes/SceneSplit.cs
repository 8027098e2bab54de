namespace NullTextResearch.Scenes;

/// <summary>The set of scenes that a seed draws from.</summary>
public enum SceneSplit
{
    /// <summary>Training scenes: held-out combinations never occur.</summary>
    Train,

    /// <summary>Scenes never used in training: separate seeds, and every fourth shows a held-out combination.</summary>
    HeldOut,
}
