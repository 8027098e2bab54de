namespace NullTextResearch.Scenes;

/// <summary>Changes the amount of the existing weather, as re-weighting its word does. The caption stays the same.</summary>
/// <param name="To">The new <see cref="SceneDescription.WeatherAmount"/>, 0 to 1.</param>
public sealed record WeatherAmountChange(double To) : SceneEdit
{
    /// <inheritdoc/>
    public override int? ObjectIndex => null;

    internal override bool IsEverywhere => true;

    /// <inheritdoc/>
    public override string? WhyNot(SceneDescription scene)
    {
        ArgumentNullException.ThrowIfNull(scene);
        if (scene.Weather == SceneWeather.Clear)
            return "The weather is clear: there is no rain or fog whose amount could change.";
        return To is >= 0 and <= 1
            ? null
            : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The amount of weather is {To}; expected 0 to 1.");
    }

    private protected override SceneDescription Change(SceneDescription scene) => scene with { WeatherAmount = To };
}
