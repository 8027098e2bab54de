using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>A network exceeded the range of its 16-bit numbers: its output is infinite or NaN.</summary>
public sealed class PrecisionException : Exception
{
    /// <summary>Creates the exception; its message says where, in which precision, and what to try.</summary>
    /// <param name="what">What is not finite, as the subject of a sentence.</param>
    /// <param name="dtype">The network's type.</param>
    public PrecisionException(string what, ScalarType dtype)
        : base(
            $"{what} not finite in {Precision.NameOf(dtype)}"
                + (
                    dtype == ScalarType.Float16
                        ? ", whose largest number is 65504. Load the model in bf16, which has the range of float32 and the same size, or in fp32 "
                            + "(--precision bf16, --precision fp32)."
                        : ". Load the model in fp32 (--precision fp32), and check that its weights and the image are sound."
                )
        )
    {
        Dtype = dtype;
    }

    /// <summary>The network's type.</summary>
    public ScalarType Dtype { get; }

    /// <summary>Throws if a 16-bit network has exceeded its range. Wider types are not checked: their losses show it.</summary>
    /// <param name="values">The network's output; borrowed.</param>
    /// <param name="dtype">The network's type.</param>
    /// <param name="what">What the values are, as the subject of a sentence.</param>
    /// <exception cref="PrecisionException">A value is infinite or NaN.</exception>
    internal static void ThrowUnlessFinite(Tensor values, ScalarType dtype, Func<string> what)
    {
        if (!Precision.IsHalf(dtype))
            return;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        if (!values.isfinite().all().item<bool>())
            throw new PrecisionException(what(), dtype);
    }
}
