namespace NullTextResearch.Scenes;

/// <summary>How noisy training captions are. Probabilities are 0..1 and independent of each other.</summary>
/// <remarks>Empty captions train the unconditional branch; dropped words widen it; wrong words keep guidance from pushing without limit.</remarks>
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
    /// Another background. Default 0: a background shows in the mean colour of even the noisiest latents, so a model that has met
    /// wrong ones believes its eyes, and no edit of the background gets through.
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

    /// <summary>What the caption says is said freely (synonyms, fillers, any order of clauses) and not in the plain form. Default 0.</summary>
    public double Free { get; init; }

    /// <summary>True and complete captions, every tenth of them empty.</summary>
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

    /// <summary>The defaults: what the last part of training uses.</summary>
    public static CaptionNoise Noisy { get; } = new();
}
