using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace NullTextResearch.Layers;

/// <summary>y = x W^T + b on the last axis.</summary>
public sealed class Linear
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight? _bias;

    /// <summary>Declares weight [<paramref name="to"/>, <paramref name="from"/>] and, unless told otherwise, a bias.</summary>
    public Linear(WeightPath at, long from, long to, bool bias = true, WeightInit init = WeightInit.FanIn)
    {
        _at = at;
        _weight = at.Declare("weight", [to, from], init, from);
        _bias = bias ? at.Declare("bias", [to], init == WeightInit.Zeros ? init : WeightInit.FanIn, from) : null;
    }

    /// <summary>[..., from] to [..., to]; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(Products.Of(x, wide => functional.linear(wide, Cast.To(_weight, wide), Cast.ToOrNull(_bias, wide))));
}

/// <summary>Two-dimensional convolution.</summary>
public sealed class Conv2d
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight? _bias;
    private readonly long _stride;
    private readonly long _padding;

    /// <summary>Declares weight [<paramref name="to"/>, <paramref name="from"/>, kernel, kernel] and, unless told otherwise, a bias.</summary>
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

/// <summary>Normalisation over groups of channels.</summary>
public sealed class GroupNorm
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight _bias;
    private readonly long _groups;
    private readonly double _epsilon;

    /// <summary>Declares gain and bias [<paramref name="channels"/>].</summary>
    public GroupNorm(WeightPath at, long groups, long channels, double epsilon)
    {
        if (channels % groups != 0)
            throw new ArgumentException(
                $"{at.Prefix}: {channels} channels cannot be split into {groups} groups; change norm_num_groups or block_out_channels."
            );
        _at = at;
        _groups = groups;
        _epsilon = epsilon;
        _weight = at.Declare("weight", [channels], WeightInit.Ones);
        _bias = at.Declare("bias", [channels], WeightInit.Zeros);
    }

    /// <summary>Same shape as the input; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(functional.group_norm(x, _groups, Cast.To(_weight, x), Cast.To(_bias, x), _epsilon));
}

/// <summary>Normalisation over the last axis.</summary>
public sealed class LayerNorm
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight _bias;
    private readonly long _size;
    private readonly double _epsilon;

    /// <summary>Declares gain and bias [<paramref name="size"/>].</summary>
    public LayerNorm(WeightPath at, long size, double epsilon = 1e-5)
    {
        _at = at;
        _size = size;
        _epsilon = epsilon;
        _weight = at.Declare("weight", [size], WeightInit.Ones);
        _bias = at.Declare("bias", [size], WeightInit.Zeros);
    }

    /// <summary>Same shape as the input; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(functional.layer_norm(x, [_size], Cast.To(_weight, x), Cast.To(_bias, x), _epsilon));
}

/// <summary>A table of vectors, looked up by index.</summary>
public sealed class Embedding
{
    private readonly WeightPath _at;
    private readonly Weight _weight;

    /// <summary>Declares weight [<paramref name="count"/>, <paramref name="size"/>].</summary>
    public Embedding(WeightPath at, long count, long size)
    {
        _at = at;
        _weight = at.Declare("weight", [count, size], WeightInit.Normal002);
    }

    /// <summary>The dtype of the stored vectors: it decides the dtype that a text encoder runs in.</summary>
    public ScalarType Dtype => _weight.Value.dtype;

    /// <summary>The device of the table.</summary>
    public Device Device => _weight.Value.device;

    /// <summary>Integer indices [...] to vectors [..., size]; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor indices) => _at.Observed(_weight.Value.index_select(0, indices.flatten()).view([.. indices.shape, _weight.Dimensions[1]]));
}

/// <summary>
/// Sums of products in float16. A GPU makes them in float32 and rounds the result. A processor without float16 arithmetic has only a slow way of its
/// own (a convolution took 170 times as long as in float32), so here the same is done by hand.
/// </summary>
internal static class Products
{
    /// <summary>Whether products of this type and place are made by hand.</summary>
    public static bool AreWidened(ScalarType dtype, Device device) => dtype == ScalarType.Float16 && device.type == DeviceType.CPU;

    /// <summary>Input to product, which has the type of the input; in the current dispose scope.</summary>
    public static Tensor Of(Tensor x, Func<Tensor, Tensor> product) =>
        AreWidened(x.dtype, x.device) ? Lifetime.Scoped(() => product(x.to(ScalarType.Float32)).to(ScalarType.Float16)) : product(x);
}

/// <summary>Lets master weights in float32 serve activations of a lower precision (training): the gradient comes back in float32.</summary>
internal static class Cast
{
    public static Tensor? ToOrNull(Weight? weight, Tensor like) => weight is null ? null : To(weight, like);

    public static Tensor To(Weight weight, Tensor like)
    {
        Tensor value = weight.Value;
        return value.dtype == like.dtype ? value : value.to(like.dtype);
    }
}
