using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

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
    private readonly List<Layer> _layers = [];
    private readonly LayerNorm _finalNorm;

    /// <summary>Declares the network; nothing is allocated until weights are loaded or initialised.</summary>
    public ClipTextModel(ClipTextConfig config)
    {
        Config = config;
        Weights = new WeightSet(nameof(ClipTextModel));
        WeightPath root = Weights.Root["text_model"];
        _embeddingsAt = root["embeddings"];
        _tokens = new Embedding(_embeddingsAt["token_embedding"], config.VocabSize, config.HiddenSize);
        _positions = new Embedding(_embeddingsAt["position_embedding"], config.ContextLength, config.HiddenSize);
        for (int i = 0; i < config.Layers; i++)
            _layers.Add(new Layer(root["encoder"]["layers"][i], config));
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
            foreach (Layer layer in _layers)
                x = layer.Forward(x);
            return _finalNorm.Forward(x);
        });
    }

    /// <summary>
    /// Frees the weights. Waits for passes through the network that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. A
    /// second time nothing happens.
    /// </summary>
    public void Dispose() => Weights.Dispose();

    private sealed class Layer
    {
        private readonly WeightPath _at;
        private readonly LayerNorm _norm1;
        private readonly Linear _query;
        private readonly Linear _key;
        private readonly Linear _value;
        private readonly Linear _out;
        private readonly LayerNorm _norm2;
        private readonly Linear _fc1;
        private readonly Linear _fc2;
        private readonly int _heads;
        private readonly bool _quickGelu;

        public Layer(WeightPath at, ClipTextConfig config)
        {
            int d = config.HiddenSize;
            if (d % config.Heads != 0)
                throw new ModelFormatException($"hidden_size {d} cannot be split into {config.Heads} heads.");
            _at = at;
            _heads = config.Heads;
            _quickGelu = config.QuickGelu;
            WeightPath attention = at["self_attn"];
            _key = new Linear(attention["k_proj"], d, d);
            _value = new Linear(attention["v_proj"], d, d);
            _query = new Linear(attention["q_proj"], d, d);
            _out = new Linear(attention["out_proj"], d, d);
            _norm1 = new LayerNorm(at["layer_norm1"], d, config.LayerNormEps);
            _fc1 = new Linear(at["mlp"]["fc1"], d, config.IntermediateSize);
            _fc2 = new Linear(at["mlp"]["fc2"], config.IntermediateSize, d);
            _norm2 = new LayerNorm(at["layer_norm2"], d, config.LayerNormEps);
        }

        public Tensor Forward(Tensor x)
        {
            long b = x.shape[0],
                n = x.shape[1],
                d = x.shape[2];
            Tensor Split(Tensor t) => t.view(b, n, _heads, d / _heads).transpose(1, 2);
            Tensor h = _norm1.Forward(x);
            Tensor attended = F.scaled_dot_product_attention(Split(_query.Forward(h)), Split(_key.Forward(h)), Split(_value.Forward(h)), is_casual: true);
            x = x.Plus(_out.Forward(attended.transpose(1, 2).reshape(b, n, d)));
            h = _fc1.Forward(_norm2.Forward(x));
            h = _quickGelu ? h.mul(h.Times(1.702).sigmoid()) : F.gelu(h);
            return _at.Observed(x.Plus(_fc2.Forward(h)));
        }
    }
}
