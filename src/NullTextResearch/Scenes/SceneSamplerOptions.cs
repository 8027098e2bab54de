namespace NullTextResearch.Scenes;

/// <summary>How often the varied parts of a scene occur.</summary>
public sealed record SceneSamplerOptions
{
    /// <summary>Share of scenes with a second object, 0..1. Default 0.15.</summary>
    public double SecondObject { get; init; } = 0.15;

    /// <summary>Share of night scenes among backgrounds that allow night, 0..1. Default 0.12.</summary>
    public double Night { get; init; } = 0.12;

    /// <summary>Share of single objects that are small, 0..1. Default 0.15.</summary>
    public double Small { get; init; } = 0.15;

    /// <summary>Share of single objects that are big, 0..1. Default 0.2.</summary>
    public double Big { get; init; } = 0.2;

    /// <summary>
    /// Share of objects (first and second alike) drawn only from the <see cref="ToyScenes.IsColourable">colourable</see> kinds, 0..1. Default 0.
    /// </summary>
    public double Coloured { get; init; }

    /// <summary>Share of scenes with rain or fog among those that <see cref="ToyScenes.AllowsWeather">allow</see> weather, 0..1. Default 0.</summary>
    public double Weather { get; init; }

    /// <summary>Share of scenes in the style of a drawing, 0..1. Default 0.</summary>
    public double Drawing { get; init; }

    /// <summary>Share of held-out scenes that show a held-out combination, 0..1. Default 0.25.</summary>
    public double HeldOutCombination { get; init; } = 0.25;
}
