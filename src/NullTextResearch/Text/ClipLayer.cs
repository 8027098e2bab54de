using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Text;

/// <summary>One layer of CLIP's transformers, for both text and images.</summary>
internal sealed class ClipLayer
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
    private readonly bool _isCausal;

    /// <summary>Declares the layer.</summary>
    /// <param name="at">Where the layer declares its weights.</param>
    /// <param name="width">Width of the embedding.</param>
    /// <param name="inner">Width of the feed-forward layer.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="quickGelu">x sigmoid(1.702 x) if true, the exact GELU if false.</param>
    /// <param name="epsilon">Epsilon of the normalisations.</param>
    /// <param name="isCausal">Whether attention is causal (text).</param>
    public ClipLayer(WeightPath at, int width, int inner, int heads, bool quickGelu, double epsilon, bool isCausal)
    {
        if (width % heads != 0)
            throw new ModelFormatException($"hidden_size {width} cannot be split into {heads} heads.");
        _at = at;
        _heads = heads;
        _quickGelu = quickGelu;
        _isCausal = isCausal;
        WeightPath attention = at["self_attn"];
        _key = new Linear(attention["k_proj"], width, width);
        _value = new Linear(attention["v_proj"], width, width);
        _query = new Linear(attention["q_proj"], width, width);
        _out = new Linear(attention["out_proj"], width, width);
        _norm1 = new LayerNorm(at["layer_norm1"], width, epsilon);
        _fc1 = new Linear(at["mlp"]["fc1"], width, inner);
        _fc2 = new Linear(at["mlp"]["fc2"], inner, width);
        _norm2 = new LayerNorm(at["layer_norm2"], width, epsilon);
    }

    /// <summary>[B, tokens, width] to the same shape; in the current dispose scope.</summary>
    public Tensor Forward(Tensor x)
    {
        long b = x.shape[0],
            n = x.shape[1],
            d = x.shape[2];
        Tensor Split(Tensor t) => t.view(b, n, _heads, d / _heads).transpose(1, 2);
        Tensor h = _norm1.Forward(x);
        Tensor attended = F.scaled_dot_product_attention(Split(_query.Forward(h)), Split(_key.Forward(h)), Split(_value.Forward(h)), is_casual: _isCausal);
        x = x.Plus(_out.Forward(attended.transpose(1, 2).reshape(b, n, d)));
        h = _fc1.Forward(_norm2.Forward(x));
        h = _quickGelu ? h.mul(h.Times(1.702).sigmoid()) : F.gelu(h);
        return _at.Observed(x.Plus(_fc2.Forward(h)));
    }
}
