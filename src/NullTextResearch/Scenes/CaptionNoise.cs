namespace NullTextResearch.Scenes;

/// <summary>How noisy training captions are. Probabilities are 0..1 and independent of each other.</summary>
/// <remarks>Empty captions train the unconditional branch, dropped words broaden it, and wrong words keep guidance from overshooting.</remarks>
public sealed record CaptionNoise
{
    /// <summary>No caption at all. Default 0.15.</summary>
    public double Empty { get; init; } = 0.15;

    /// <summary>The background is not mentioned. Default 0.15.</summary>
    public double DropBackground { get; init; } = 0.15;

    /// <summary>The colour is not mentioned (drawn per object). Default 0.35.</summary>
    public double DropColour { get; init; } = 0.35;

    /// <summary>The size is not mentioned (drawn per object). Default 0.35.</summary>
    public double DropSize { get; init; } = 0.35;

    /// <summary>Night is not mentioned. Default 0.25.</summary>
    public double DropNight { get; init; } = 0.25;

    /// <summary>The second object is not mentioned. Default 0.2.</summary>
    public double DropSecondObject { get; init; } = 0.2;

    /// <summary>"animal" or "thing" instead of the noun (drawn per object). Default 0.08.</summary>
    public double GenericNoun { get; init; } = 0.08;

    /// <summary>The noun of another kind (drawn per object). Default 0.10.</summary>
    public double WrongObject { get; init; } = 0.10;

    /// <summary>
    /// Another background. Default 0: the background shows in the mean colour of even the noisiest latents, so a model trained on wrong backgrounds trusts the
    /// latents over the caption, and background edits have no effect.
    /// </summary>
    public double WrongBackground { get; init; }

    /// <summary>Another colour (drawn per object). Default 0.12.</summary>
    public double WrongColour { get; init; } = 0.12;

    /// <summary>Weather is not mentioned. Default 0.25.</summary>
    public double DropWeather { get; init; } = 0.25;

    /// <summary>The style is not mentioned. Default 0.25.</summary>
    public double DropStyle { get; init; } = 0.25;

    /// <summary>"a photo of" or "a picture of" in front of a caption in the plain form. Default 0.10.</summary>
    public double Prefix { get; init; } = 0.10;

    /// <summary>The caption is in the free form (synonyms, fillers, any order of clauses) instead of the plain form. Default 0.</summary>
    public double Free { get; init; }

    /// <summary>True and complete captions, except that every tenth is empty.</summary>
    public static CaptionNoise Clean { get; } =
        new()
        {
            Empty = 0.10,
            DropBackground = 0,
            DropColour = 0,
            DropSize = 0,
            DropNight = 0,
            DropSecondObject = 0,
            DropWeather = 0,
            DropStyle = 0,
            GenericNoun = 0,
            WrongObject = 0,
            WrongBackground = 0,
            WrongColour = 0,
            Prefix = 0,
        };

    /// <summary>The defaults, used by the last part of training.</summary>
    public static CaptionNoise Noisy { get; } = new();
}
