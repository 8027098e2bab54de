using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>
/// Arithmetic with a number. TorchSharp makes a native scalar of it and lets go of it before the native call has read it: a garbage collection in
/// that moment, started by another thread, frees it, and the call ends with "Unknown scalar type" or uses a wrong number (some three times in the
/// 1,600 tests of this library, two at a time). Even the sum of two tensors has such a number, the factor 1 of the second, and so has a sum with a
/// number. Here the scalar lives
/// until the call is over. A test finds calls that bypass this place.
/// </summary>
internal static class ScalarArithmetic
{
    // Never freed; integers, as TorchSharp's own. What it makes inside (the factor of add(scalar), start and step of arange(end)) cannot be kept
    // alive: it is given.
    private static readonly Scalar Zero = 0,
        One = 1;

    /// <summary>tensor + other, as they broadcast; owned by the caller's dispose scope.</summary>
    public static Tensor Plus(this Tensor tensor, Tensor other) => tensor.add(other, One);

    /// <summary>The tensor with the other added in place.</summary>
    public static Tensor PlusInPlace(this Tensor tensor, Tensor other) => tensor.add_(other, One);

    /// <summary>The square of each value; owned by the caller's dispose scope.</summary>
    public static Tensor Squared(this Tensor tensor) => tensor.mul(tensor);

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
        return tensor.add(scalar, One);
    }

    /// <summary>The tensor, multiplied in place.</summary>
    public static Tensor TimesInPlace(this Tensor tensor, double factor)
    {
        using Scalar scalar = factor;
        return tensor.mul_(scalar);
    }

    /// <summary>The tensor, divided in place.</summary>
    public static Tensor OverInPlace(this Tensor tensor, double divisor)
    {
        using Scalar scalar = divisor;
        return tensor.div_(scalar);
    }

    /// <summary>The tensor with the term added in place.</summary>
    public static Tensor PlusInPlace(this Tensor tensor, double term)
    {
        using Scalar scalar = term;
        return tensor.add_(scalar, One);
    }

    /// <summary>The tensor with factor * a * b added in place.</summary>
    public static Tensor PlusProductInPlace(this Tensor tensor, Tensor a, Tensor b, double factor)
    {
        using Scalar scalar = factor;
        return tensor.addcmul_(a, b, scalar);
    }

    /// <summary>The tensor with factor * a / b added in place.</summary>
    public static Tensor PlusQuotientInPlace(this Tensor tensor, Tensor a, Tensor b, double factor)
    {
        using Scalar scalar = factor;
        return tensor.addcdiv_(a, b, scalar);
    }

    /// <summary>Values below the least and above the most are these; NaN stays. Owned by the caller's dispose scope.</summary>
    public static Tensor Clamped(this Tensor tensor, double least, double most)
    {
        using Scalar low = least,
            high = most;
        return tensor.clamp(low, high);
    }

    /// <summary>Values below the least are the least; NaN stays. Owned by the caller's dispose scope.</summary>
    public static Tensor AtLeast(this Tensor tensor, double least)
    {
        using Scalar scalar = least;
        return tensor.clamp_min(scalar);
    }

    /// <summary>Which values are above the bound, as booleans; NaN is not. Owned by the caller's dispose scope.</summary>
    public static Tensor Above(this Tensor tensor, double bound)
    {
        using Scalar scalar = bound;
        return tensor.gt(scalar);
    }

    /// <summary>Which values are below the bound, as booleans; NaN is not. Owned by the caller's dispose scope.</summary>
    public static Tensor Below(this Tensor tensor, double bound)
    {
        using Scalar scalar = bound;
        return tensor.lt(scalar);
    }

    /// <summary>0 to count - 1, shape [count]; owned by the caller's dispose scope.</summary>
    public static Tensor Range(long count, ScalarType dtype, Device? device = null)
    {
        using Scalar scalar = count;
        return arange(Zero, scalar, One, dtype, device);
    }

    /// <summary>1 - tensor; owned by the caller's dispose scope.</summary>
    public static Tensor OneMinus(this Tensor tensor) => Lifetime.Scoped(() => tensor.Times(-1).Plus(1));
}
