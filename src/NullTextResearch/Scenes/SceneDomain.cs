namespace NullTextResearch.Scenes;

/// <summary>The domain of toy scenes that a model was trained on: which scenes exist, how often, and how captions describe them.</summary>
/// <remarks>A model's folder names its domain (<c>classifier/config.json</c>).</remarks>
public sealed record SceneDomain
{
    /// <summary>Version number of the domain.</summary>
    public required int Version { get; init; }

    /// <summary>How often the varied parts of a scene occur.</summary>
    public required SceneSamplerOptions Scenes { get; init; }

    /// <summary>Share of captions in the free form, 0..1.</summary>
    public required double FreeCaptions { get; init; }

    /// <summary>Rows of a caption in the text encoder, including start- and end-of-text.</summary>
    public required int Context { get; init; }

    /// <summary>Every word that captions may contain, sorted by ordinal: the vocabulary of a model of this domain.</summary>
    public IReadOnlyList<string> Words => Version == 1 ? CaptionGrammar.Words : CaptionGrammar.FreeWords;

    /// <summary>Nearly always one object, clear weather, captions in the plain form.</summary>
    public static SceneDomain First { get; } =
        new()
        {
            Version = 1,
            Scenes = new SceneSamplerOptions { SecondObject = 0.12 },
            FreeCaptions = 0,
            Context = 77,
        };

    /// <summary>
    /// Two objects in nearly half of the scenes, more of them coloured; rain and fog, drawings; captions in the free form. Its context of 29 rows gives the
    /// null text 3.6 numbers for each of the latent's 1,024 numbers, as in Stable Diffusion.
    /// </summary>
    public static SceneDomain Second { get; } =
        new()
        {
            Version = 2,
            Scenes = new SceneSamplerOptions
            {
                SecondObject = 0.45,
                Coloured = 0.3,
                Weather = 0.12,
                Drawing = 0.07,
                Small = 0.18,
            },
            FreeCaptions = 1,
            Context = 29,
        };

    /// <summary>The domain with a version number, or null if there is none.</summary>
    /// <param name="version">Version number of the domain.</param>
    public static SceneDomain? Find(int version) =>
        version switch
        {
            1 => First,
            2 => Second,
            _ => null,
        };
}
