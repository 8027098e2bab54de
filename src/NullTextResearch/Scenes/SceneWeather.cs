namespace NullTextResearch.Scenes;

/// <summary>The weather of a scene. The order is the class order of the scene classifier: append only.</summary>
public enum SceneWeather
{
    /// <summary>No rain or fog.</summary>
    Clear,

    /// <summary>Grey light and slanted streaks.</summary>
    Rain,

    /// <summary>A pale veil, thicker with distance.</summary>
    Fog,
}
