using NullTextResearch.Weights;

namespace NullTextResearch.Text;

/// <summary>Architecture of a <see cref="ClipTextModel"/>, as in transformers' <c>text_encoder/config.json</c>.</summary>
public sealed record ClipTextConfig
{
    // At least ten times the values of any published model: a damaged number is rejected before a network of that size is declared.
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 256;

    /// <summary>Number of tokens in the vocabulary.</summary>
    public int VocabSize { get; init; } = 49408;

    /// <summary>Width of the embedding.</summary>
    public int HiddenSize { get; init; } = 768;

    /// <summary>Width of the feed-forward layers.</summary>
    public int IntermediateSize { get; init; } = 3072;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Context length in tokens.</summary>
    public int ContextLength { get; init; } = 77;

    /// <summary>x sigmoid(1.702 x) if true (OpenAI's models), the exact GELU if false.</summary>
    public bool QuickGelu { get; init; } = true;

    /// <summary>Epsilon of the normalisations.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>OpenAI's ViT-L/14 text encoder (Stable Diffusion 1.x).</summary>
    public static ClipTextConfig StableDiffusion1 { get; } = new();

    /// <summary>
    /// OpenCLIP's ViT-H/14 text encoder as Stable Diffusion 2.x uses it: of its 24 trained layers, the last is left out (the penultimate layer's
    /// output goes through the final normalisation), so the network has 23.
    /// </summary>
    public static ClipTextConfig StableDiffusion2 { get; } =
        new()
        {
            HiddenSize = 1024,
            IntermediateSize = 4096,
            Layers = 23,
            Heads = 16,
            QuickGelu = false,
        };

    /// <summary>Reads a config.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for an unsupported feature.</exception>
    public static ClipTextConfig Read(ConfigReader json)
    {
        string activation = json.Text("hidden_act", "quick_gelu");
        if (activation is not ("quick_gelu" or "gelu"))
            throw json.Unsupported("hidden_act", activation, "quick_gelu and gelu");
        ClipTextConfig config = new()
        {
            VocabSize = json.Int("vocab_size", null, 1, ClipTokenizer.MostTokens),
            HiddenSize = json.Int("hidden_size", null, 1, MostWidth),
            IntermediateSize = json.Int("intermediate_size", null, 1, MostWidth),
            Layers = json.Int("num_hidden_layers", null, 1, MostLayers),
            Heads = json.Int("num_attention_heads", null, 1, MostWidth),
            ContextLength = json.Int("max_position_embeddings", 77, 3, ClipTokenizer.MostContext),
            QuickGelu = activation == "quick_gelu",
            LayerNormEps = json.Number("layer_norm_eps", 1e-5, 0, 1),
        };
        if (config.HiddenSize % config.Heads != 0)
            throw new ModelFormatException(
                $"{json.Source}: a hidden_size of {config.HiddenSize} cannot be split into the {config.Heads} heads of num_attention_heads."
            );
        return config;
    }
}
