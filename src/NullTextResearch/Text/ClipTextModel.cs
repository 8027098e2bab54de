using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Text;

/// <summary>CLIP's text transformer; modules and keys match transformers' CLIPTextModel (last hidden state after the final norm).</summary>
/// <remarks>Several threads may use it at the same time. After <see cref="Dispose"/>, every use throws an <see cref="ObjectDisposedException"/>.</remarks>
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
    /// <param name="computeDtype">Precision of the computation; null for that of the weights.</param>
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
    /// Frees the weights. Waits for passes running in other threads; later passes throw <see cref="ObjectDisposedException"/>. A second call does nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();
}
