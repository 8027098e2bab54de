using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Text;

/// <summary>Architecture of a <see cref="ClipTextModel"/>, as in transformers' <c>text_encoder/config.json</c>.</summary>
public sealed record ClipTextConfig
{
    // Ten times and more what any published model has: a damaged number is refused before a network of that size is declared.
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 256;

    /// <summary>Number of tokens known.</summary>
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

    /// <summary>x sigmoid(1.702 x) where true (OpenAI's models), the exact Gaussian error unit where false.</summary>
    public bool QuickGelu { get; init; } = true;

    /// <summary>Epsilon of the normalisations.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>OpenAI's ViT-L/14 text encoder (Stable Diffusion 1.x).</summary>
    public static ClipTextConfig StableDiffusion1 { get; } = new();

    /// <summary>
    /// OpenCLIP's ViT-H/14 text encoder as Stable Diffusion 2.x uses it: 24 layers were trained, the last one is left out (the penultimate layer's
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
    /// <exception cref="ModelFormatException">A field is missing, or asks for something not implemented.</exception>
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

/// <summary>CLIP's text transformer, module for module and key for key transformers' CLIPTextModel (last hidden state after the final norm).</summary>
/// <remarks>Several threads may use one at a time. After <see cref="Dispose"/> every use is an <see cref="ObjectDisposedException"/>.</remarks>
public sealed class ClipTextModel : IDisposable
{
    private readonly WeightPath _embeddingsAt;
    private readonly Embedding _tokens;
    private readonly Embedding _positions;
    private readonly List<ClipLayer> _layers = [];
    private readonly LayerNorm _finalNorm;

    /// <summary>Declares the network; nothing is allocated until weights are loaded or initialised.</summary>
    public ClipTextModel(ClipTextConfig config)
        : this(config, new WeightSet(nameof(ClipTextModel))) { }

    /// <summary>Declares the network as a part of a larger one, which owns the weights.</summary>
    internal ClipTextModel(ClipTextConfig config, WeightSet weights)
    {
        Config = config;
        Weights = weights;
        WeightPath root = Weights.Root["text_model"];
        _embeddingsAt = root["embeddings"];
        _tokens = new Embedding(_embeddingsAt["token_embedding"], config.VocabSize, config.HiddenSize);
        _positions = new Embedding(_embeddingsAt["position_embedding"], config.ContextLength, config.HiddenSize);
        for (int i = 0; i < config.Layers; i++)
        {
            WeightPath at = root["encoder"]["layers"][i];
            _layers.Add(new ClipLayer(at, config.HiddenSize, config.IntermediateSize, config.Heads, config.QuickGelu, config.LayerNormEps, isCausal: true));
        }
        _finalNorm = new LayerNorm(root["final_layer_norm"], config.HiddenSize, config.LayerNormEps);
    }

    /// <summary>Architecture.</summary>
    public ClipTextConfig Config { get; }

    /// <summary>All weights, by their transformers keys.</summary>
    public WeightSet Weights { get; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>Embeds token ids.</summary>
    /// <param name="ids">Integer [B, tokens], at most the context length; borrowed.</param>
    /// <param name="computeDtype">Precision to compute in; null means that of the weights.</param>
    /// <returns>Text embedding [B, tokens, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The ids are not a matrix.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public Tensor Forward(Tensor ids, ScalarType? computeDtype = null)
    {
        Shape.Require(ids, [-1, -1]);
        long tokens = ids.shape[1];
        if (tokens > Config.ContextLength)
            throw new ArgumentException($"{tokens} tokens do not fit the context of {Config.ContextLength}; shorten the prompt.", nameof(ids));
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() =>
        {
            Tensor positions = ScalarArithmetic.Range(tokens, ScalarType.Int64, ids.device).unsqueeze(0);
            Tensor x = _tokens.Forward(ids.to(ScalarType.Int64)).Plus(_positions.Forward(positions));
            if (computeDtype is { } dtype && dtype != x.dtype)
                x = x.to(dtype);
            x = _embeddingsAt.Observed(x);
            foreach (ClipLayer layer in _layers)
                x = layer.Forward(x);
            return _finalNorm.Forward(x);
        });
    }

    /// <summary>
    /// Frees the weights. Waits for passes through the network that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. A
    /// second time nothing happens.
    /// </summary>
    public void Dispose() => Weights.Dispose();
}
