namespace NullTextResearch.Scenes;

/// <summary>What falls or hangs between the eye and the scene. The order is the class order of the scene classifier: append only.</summary>
public enum SceneWeather
{
    /// <summary>Nothing.</summary>
    Clear,

    /// <summary>Grey light and slanted streaks.</summary>
    Rain,

    /// <summary>A pale veil, thicker with distance.</summary>
    Fog,
}
