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

    /// <summary>Declares weight [<paramref name="to"/>, <paramref name="from"/>] and, by default, a bias.</summary>
    public Linear(WeightPath at, long from, long to, bool bias = true, WeightInit init = WeightInit.FanIn)
    {
        _at = at;
        _weight = at.Declare("weight", [to, from], init, from);
        _bias = bias ? at.Declare("bias", [to], init == WeightInit.Zeros ? init : WeightInit.FanIn, from) : null;
    }

    /// <summary>[..., from] to [..., to]; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(Products.Of(x, wide => functional.linear(wide, Cast.To(_weight, wide), Cast.ToOrNull(_bias, wide))));
}

/// <summary>
/// Sums of products in float16. A GPU computes them in float32 and rounds the result. A CPU without float16 arithmetic is slow at them (a convolution took 170
/// times as long as in float32), so here they are explicitly computed in float32 as well.
/// </summary>
internal static class Products
{
    /// <summary>Whether products of this type on this device are computed in float32.</summary>
    public static bool AreWidened(ScalarType dtype, Device device) => dtype == ScalarType.Float16 && device.type == DeviceType.CPU;

    /// <summary>The product of an input, in the type of the input and in the current dispose scope.</summary>
    public static Tensor Of(Tensor x, Func<Tensor, Tensor> product) =>
        AreWidened(x.dtype, x.device) ? Lifetime.Scoped(() => product(x.to(ScalarType.Float32)).to(ScalarType.Float16)) : product(x);
}

/// <summary>Lets float32 master weights serve activations of a lower precision (training): the gradient is again float32.</summary>
internal static class Cast
{
    public static Tensor? ToOrNull(Weight? weight, Tensor like) => weight is null ? null : To(weight, like);

    public static Tensor To(Weight weight, Tensor like)
    {
        Tensor value = weight.Value;
        return value.dtype == like.dtype ? value : value.to(like.dtype);
    }
}
