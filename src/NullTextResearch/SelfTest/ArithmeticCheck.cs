using System.Globalization;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>One operation in one precision, held against float64.</summary>
/// <param name="Operation">Name and size, for a person.</param>
/// <param name="Dtype">Precision.</param>
/// <param name="Threads">libtorch's threads.</param>
/// <param name="ResultError">Relative error (L2) of the result, with and without recorded gradients, the larger; NaN where a value is not finite.</param>
/// <param name="GradientError">The same of the gradients of all inputs, the largest.</param>
/// <param name="PlainError">The largest error of libtorch's own operation where this library uses another one; else null.</param>
public sealed record ArithmeticCheck(string Operation, ScalarType Dtype, int Threads, double ResultError, double GradientError, double? PlainError)
{
    /// <summary>The error up to which an operation counts as right: far above rounding, far below any fault seen.</summary>
    public double Limit => LimitOf(Dtype);

    /// <summary>What follows from the errors.</summary>
    public ArithmeticVerdict Verdict =>
        !(ResultError <= Limit && GradientError <= Limit) ? ArithmeticVerdict.Wrong
        : PlainError is { } plain && !(plain <= Limit) ? ArithmeticVerdict.WorkedAround
        : ArithmeticVerdict.Right;

    internal static double LimitOf(ScalarType dtype) =>
        dtype switch
        {
            ScalarType.Float64 => 1e-12,
            ScalarType.Float32 => 1e-5,
            ScalarType.Float16 => 5e-3,
            _ => 2e-2,
        };

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Operation}, {Precision.NameOf(Dtype)}, {Threads} {(Threads == 1 ? "thread" : "threads")}: result off by {ResultError:0.0e+0}, gradient by "
                + $"{GradientError:0.0e+0} (limit "
                + $"{Limit:0.0e+0}){(PlainError is { } plain ? FormattableString.Invariant($", libtorch alone {plain:0.0e+0}") : "")}"
        );
}
