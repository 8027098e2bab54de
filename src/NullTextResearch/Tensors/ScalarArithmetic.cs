using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>
/// Arithmetic with a number. TorchSharp converts the number to a native scalar and releases it before the native call has read it. A garbage collection at that
/// moment, started by another thread, frees the scalar, and the call fails with "Unknown scalar type" or uses a wrong number (about three times in the 1,600
/// tests of this library, run two at a time). Even the sum of two tensors uses such a number, the factor 1 of the second, and so does a sum with a number. Here
/// the scalar lives until the call has returned. A test finds calls that bypass this class.
/// </summary>
internal static class ScalarArithmetic
{
    // Never freed; integers, like TorchSharp's own. Scalars that it creates internally (the factor of add(scalar), start and step of arange(end)) cannot be
    // kept alive, so they are passed explicitly.
    private static readonly Scalar Zero = 0,
        One = 1;

    /// <summary>tensor + other, with broadcasting; owned by the caller's dispose scope.</summary>
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

    /// <summary>Values clamped to the range from least to most; NaN stays. Owned by the caller's dispose scope.</summary>
    public static Tensor Clamped(this Tensor tensor, double least, double most)
    {
        using Scalar low = least,
            high = most;
        return tensor.clamp(low, high);
    }

    /// <summary>Values clamped to be at least the given one; NaN stays. Owned by the caller's dispose scope.</summary>
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
