using NullTextResearch.Weights;

namespace NullTextResearch.Perception;

/// <summary>Architecture of CLIP's vision transformer, as in <c>vision_config</c> of transformers' <c>config.json</c>.</summary>
public sealed record ClipVisionConfig
{
    // Far above any published model, so a corrupt number is rejected before a network of that size is declared.
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 256;

    /// <summary>Width of the embedding.</summary>
    public int HiddenSize { get; init; } = 1024;

    /// <summary>Width of the feed-forward layers.</summary>
    public int IntermediateSize { get; init; } = 4096;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 24;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 16;

    /// <summary>Width and height of the pictures in pixels.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Width and height of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>x sigmoid(1.702 x) if true (OpenAI's models), the exact GELU if false.</summary>
    public bool QuickGelu { get; init; } = true;

    /// <summary>Epsilon of the layer norms.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Number of patches per picture.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Reads the section of a config; missing fields get transformers' defaults.</summary>
    /// <exception cref="ModelFormatException">A field is invalid, or requires something not implemented.</exception>
    public static ClipVisionConfig Read(ConfigReader json)
    {
        ArgumentNullException.ThrowIfNull(json);
        string activation = json.Text("hidden_act", "quick_gelu");
        if (activation is not ("quick_gelu" or "gelu"))
            throw json.Unsupported("hidden_act", activation, "quick_gelu and gelu");
        json.RequireEqual("num_channels", json.Int("num_channels", 3), 3);
        ClipVisionConfig config = new()
        {
            HiddenSize = json.Int("hidden_size", 768, 1, MostWidth),
            IntermediateSize = json.Int("intermediate_size", 3072, 1, MostWidth),
            Layers = json.Int("num_hidden_layers", 12, 1, MostLayers),
            Heads = json.Int("num_attention_heads", 12, 1, MostWidth),
            ImageSize = json.Int("image_size", 224, 1, MostWidth),
            PatchSize = json.Int("patch_size", 32, 1, MostWidth),
            QuickGelu = activation == "quick_gelu",
            LayerNormEps = json.Number("layer_norm_eps", 1e-5, 0, 1),
        };
        if (config.HiddenSize % config.Heads != 0)
            throw new ModelFormatException(
                $"{json.Source}: a hidden_size of {config.HiddenSize} cannot be split into the {config.Heads} heads of num_attention_heads."
            );
        if (config.Patches == 0)
            throw new ModelFormatException($"{json.Source}: no patch of {config.PatchSize} pixels fits a picture of {config.ImageSize}.");
        return config;
    }
}
