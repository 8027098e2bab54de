using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>
/// Arithmetic with a number. TorchSharp makes a native scalar of it and lets go of it before the native call has read it: a garbage collection in
/// that moment, started by another thread, frees it, and the call ends with "Unknown scalar type" or uses a wrong number (seen once in several
/// thousand tests on a busy machine). Here the scalar lives until the call is over.
/// </summary>
internal static class ScalarArithmetic
{
    /// <summary>tensor * factor; owned by the caller's dispose scope.</summary>
    public static Tensor Times(this Tensor tensor, double factor)
    {
        using Scalar scalar = factor;
        return tensor.mul(scalar);
    }

    /// <summary>tensor / divisor; owned by the caller's dispose scope.</summary>
    public static Tensor Over(this Tensor tensor, double divisor)
    {
        using Scalar scalar = divisor;
        return tensor.div(scalar);
    }

    /// <summary>tensor + term; owned by the caller's dispose scope.</summary>
    public static Tensor Plus(this Tensor tensor, double term)
    {
        using Scalar scalar = term;
        return tensor.add(scalar);
    }

    /// <summary>1 - tensor; owned by the caller's dispose scope.</summary>
    public static Tensor OneMinus(this Tensor tensor) => Lifetime.Scoped(() => tensor.Times(-1).Plus(1));
}
