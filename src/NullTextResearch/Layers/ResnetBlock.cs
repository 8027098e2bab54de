using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Layers;

/// <summary>diffusers' ResnetBlock2D: two normalised convolutions, the time embedding added between them.</summary>
public sealed class ResnetBlock
{
    private readonly WeightPath _at;
    private readonly GroupNorm _norm1;
    private readonly Conv2d _conv1;
    private readonly Linear? _time;
    private readonly GroupNorm _norm2;
    private readonly Conv2d _conv2;
    private readonly Conv2d? _shortcut;

    /// <summary>Declares the block; <paramref name="timeChannels"/> is null in a VAE.</summary>
    public ResnetBlock(WeightPath at, long from, long to, long groups, double epsilon, long? timeChannels)
    {
        _at = at;
        _norm1 = new GroupNorm(at["norm1"], groups, from, epsilon);
        _conv1 = new Conv2d(at["conv1"], from, to);
        _time = timeChannels is { } channels ? new Linear(at["time_emb_proj"], channels, to) : null;
        _norm2 = new GroupNorm(at["norm2"], groups, to, epsilon);
        _conv2 = new Conv2d(at["conv2"], to, to);
        _shortcut = from == to ? null : new Conv2d(at["conv_shortcut"], from, to, kernel: 1, padding: 0);
    }

    /// <summary>[B, from, H, W] to [B, to, H, W].</summary>
    /// <param name="x">Feature map, borrowed.</param>
    /// <param name="activatedTime">silu of the time embedding, [B, timeChannels], borrowed; null in a VAE.</param>
    /// <param name="replace">Receives the value that will be added to the shortcut, and may replace it; null to disable.</param>
    public Tensor Forward(Tensor x, Tensor? activatedTime, Func<Tensor, Tensor>? replace = null) =>
        Lifetime.Scoped(() =>
        {
            Tensor h = _norm1.Forward(x).Then(t => F.silu(t)).Then(_conv1.Forward);
            if (_time is not null)
                h = h.Then(t => t.Plus(_time.Forward(activatedTime!).unsqueeze(2).unsqueeze(3)));
            h = h.Then(_norm2.Forward).Then(t => F.silu(t)).Then(_conv2.Forward);
            if (replace is not null)
                h = replace(h);
            return _at.Observed(h.Plus(_shortcut is null ? x : _shortcut.Forward(x)));
        });
}
