using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Layers;

/// <summary>Two-dimensional convolution.</summary>
public sealed class Conv2d
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight? _bias;
    private readonly long _stride;
    private readonly long _padding;

    /// <summary>Declares weight [<paramref name="to"/>, <paramref name="from"/>, kernel, kernel] and, by default, a bias.</summary>
    public Conv2d(WeightPath at, long from, long to, long kernel = 3, long stride = 1, long padding = 1, WeightInit init = WeightInit.FanIn, bool bias = true)
    {
        _at = at;
        _stride = stride;
        _padding = padding;
        long fanIn = from * kernel * kernel;
        _weight = at.Declare("weight", [to, from, kernel, kernel], init, fanIn);
        _bias = bias ? at.Declare("bias", [to], init == WeightInit.Zeros ? init : WeightInit.FanIn, fanIn) : null;
    }

    /// <summary>[B, from, H, W] to [B, to, H', W']; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) =>
        _at.Observed(Products.Of(x, wide => Convolution.Of(wide, Cast.To(_weight, wide), Cast.ToOrNull(_bias, wide), _stride, _padding)));
}
