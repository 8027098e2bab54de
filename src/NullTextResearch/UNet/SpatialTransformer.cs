using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.UNet;

/// <summary>What one pass through the network carries in addition to the feature map.</summary>
/// <param name="Text">Text embedding [B, tokens, d].</param>
/// <param name="Rows">What the rows are, passed to the hook.</param>
/// <param name="Hook">Called at attention layers and residual blocks.</param>
/// <param name="Step">Sampling step, passed to the hook.</param>
/// <param name="Values">Text embedding behind the values of cross-attention; null if <paramref name="Text"/> serves for them too.</param>
internal sealed record UNetPass(Tensor Text, BatchLayout Rows, INetworkHook Hook, int Step, Tensor? Values = null)
{
    /// <summary>Hook for the features of a residual block; null if there is none.</summary>
    public Func<Tensor, Tensor>? At(ResidualSite site) => Hook is FusedAttention ? null : features => Hook.Feature(new FeatureCall(site, Step, Rows), features);
}

/// <summary>diffusers' Transformer2DModel with one basic transformer block: self-attention, cross-attention, feed-forward.</summary>
internal sealed class SpatialTransformer
{
    private readonly WeightPath _at;
    private readonly GroupNorm _norm;
    private readonly Linear? _linearIn;
    private readonly Linear? _linearOut;
    private readonly Conv2d? _convIn;
    private readonly Conv2d? _convOut;
    private readonly TransformerBlock _block;

    public SpatialTransformer(WeightPath at, int channels, int heads, UNetConfig config, Func<WeightPath, AttentionKind, int, AttentionSite> site)
    {
        _at = at;
        // The entry normalisation uses 1e-6, regardless of norm_eps.
        _norm = new GroupNorm(at["norm"], config.NormNumGroups, channels, 1e-6);
        if (config.UseLinearProjection)
            _linearIn = new Linear(at["proj_in"], channels, channels);
        else
            _convIn = new Conv2d(at["proj_in"], channels, channels, kernel: 1, padding: 0);
        _block = new TransformerBlock(at["transformer_blocks"][0], channels, heads, config, site);
        if (config.UseLinearProjection)
            _linearOut = new Linear(at["proj_out"], channels, channels);
        else
            _convOut = new Conv2d(at["proj_out"], channels, channels, kernel: 1, padding: 0);
    }

    public Tensor Forward(Tensor x, UNetPass pass) =>
        Lifetime.Scoped(() =>
        {
            long b = x.shape[0],
                c = x.shape[1],
                h = x.shape[2],
                w = x.shape[3];
            Tensor t = _norm.Forward(x);
            if (_convIn is not null)
                t = _convIn.Forward(t);
            t = t.permute(0, 2, 3, 1).reshape(b, h * w, c);
            if (_linearIn is not null)
                t = _linearIn.Forward(t);
            t = _block.Forward(t, pass, (int)h, (int)w);
            if (_linearOut is not null)
                t = _linearOut.Forward(t);
            t = t.reshape(b, h, w, c).permute(0, 3, 1, 2);
            if (_convOut is not null)
                t = _convOut.Forward(t.contiguous());
            return _at.Observed(t.Plus(x));
        });
}

internal sealed class TransformerBlock
{
    private readonly WeightPath _at;
    private readonly LayerNorm _norm1;
    private readonly AttentionLayer _attn1;
    private readonly LayerNorm _norm2;
    private readonly AttentionLayer _attn2;
    private readonly LayerNorm _norm3;
    private readonly WeightPath _feedForwardAt;
    private readonly Linear _gate;
    private readonly Linear _out;

    public TransformerBlock(WeightPath at, int channels, int heads, UNetConfig config, Func<WeightPath, AttentionKind, int, AttentionSite> site)
    {
        _at = at;
        _norm1 = new LayerNorm(at["norm1"], channels);
        _attn1 = new AttentionLayer(at["attn1"], channels, channels, heads, config.UpcastAttention, site(at["attn1"], AttentionKind.Self, heads));
        _norm2 = new LayerNorm(at["norm2"], channels);
        _attn2 = new AttentionLayer(
            at["attn2"],
            channels,
            config.CrossAttentionDim,
            heads,
            config.UpcastAttention,
            site(at["attn2"], AttentionKind.Cross, heads)
        );
        _norm3 = new LayerNorm(at["norm3"], channels);
        _feedForwardAt = at["ff"];
        _gate = new Linear(_feedForwardAt["net"][0]["proj"], channels, 8L * channels);
        _out = new Linear(_feedForwardAt["net"][2], 4L * channels, channels);
    }

    public Tensor Forward(Tensor x, UNetPass pass, int height, int width)
    {
        // One scope each: if no gradients are recorded, a layer's maps are freed before the next ones are made.
        Tensor first = Lifetime.Scoped(() =>
        {
            Tensor self = _norm1.Forward(x);
            return x.Plus(_attn1.Forward(self, self, self, pass, height, width));
        });
        Tensor second = Lifetime.Scoped(() => first.Plus(_attn2.Forward(_norm2.Forward(first), pass.Text, pass.Values ?? pass.Text, pass, height, width)));
        return Lifetime.Scoped(() =>
        {
            Tensor[] halves = _gate.Forward(_norm3.Forward(second)).chunk(2, -1);
            Tensor ff = _feedForwardAt.Observed(_out.Forward(halves[0].mul(F.gelu(halves[1]))));
            return _at.Observed(second.Plus(ff));
        });
    }
}

internal sealed class AttentionLayer
{
    private readonly WeightPath _at;
    private readonly AttentionSite _site;
    private readonly int _heads;
    private readonly bool _upcast;
    private readonly Linear _query;
    private readonly Linear _key;
    private readonly Linear _value;
    private readonly Linear _out;

    public AttentionLayer(WeightPath at, int channels, int contextChannels, int heads, bool upcast, AttentionSite site)
    {
        if (channels % heads != 0)
            throw new ModelFormatException($"{at.Prefix}: {channels} channels cannot be split into {heads} heads.");
        _at = at;
        _site = site;
        _heads = heads;
        _upcast = upcast;
        _query = new Linear(at["to_q"], channels, channels, bias: false);
        _key = new Linear(at["to_k"], contextChannels, channels, bias: false);
        _value = new Linear(at["to_v"], contextChannels, channels, bias: false);
        _out = new Linear(at["to_out"][0], channels, channels);
    }

    public Tensor Forward(Tensor x, Tensor keys, Tensor values, UNetPass pass, int height, int width)
    {
        long b = x.shape[0],
            n = x.shape[1],
            c = x.shape[2];
        // The fused kernel does not need this; at half precision, anything that makes scores in memory does.
        bool widen = _upcast && (x.dtype is ScalarType.Float16 or ScalarType.BFloat16) && pass.Hook is not FusedAttention;
        Tensor Split(Tensor t) => (widen ? t.to(ScalarType.Float32) : t).view(b, -1, _heads, c / _heads).transpose(1, 2);
        Tensor attended = pass.Hook.Attend(
            new AttentionCall(_site, pass.Step, height, width, pass.Rows),
            Split(_query.Forward(x)),
            Split(_key.Forward(keys)),
            Split(_value.Forward(values))
        );
        if (widen)
            attended = attended.to(x.dtype);
        return _at.Observed(_out.Forward(attended.transpose(1, 2).reshape(b, n, c)));
    }
}
