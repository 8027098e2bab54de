using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Tensors of one value. TorchSharp's own <c>full</c> and <c>fill_</c> release the number before libtorch has read it.</summary>
public static class Constants
{
    /// <summary>A tensor of this shape with the value everywhere; owned by the caller's dispose scope.</summary>
    public static Tensor Full(long[] shape, double value, ScalarType dtype = ScalarType.Float32)
    {
        using Scalar scalar = value;
        return full(shape, scalar, dtype);
    }

    /// <summary>A tensor like the given one with the value everywhere; owned by the caller's dispose scope.</summary>
    public static Tensor Full(Tensor like, double value)
    {
        using Scalar scalar = value;
        return full_like(like, scalar);
    }

    /// <summary>The tensor with the value everywhere, changed in place.</summary>
    public static Tensor Fill(this Tensor tensor, double value)
    {
        using Scalar scalar = value;
        return tensor.fill_(scalar);
    }
}
