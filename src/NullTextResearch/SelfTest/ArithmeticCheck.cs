using System.Globalization;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>One operation in one precision, compared with float64.</summary>
/// <param name="Operation">Name and size, for display.</param>
/// <param name="Dtype">Precision.</param>
/// <param name="Threads">Number of libtorch threads.</param>
/// <param name="ResultError">
/// Relative L2 error of the result: the larger of the errors with and without recorded gradients; NaN if a value is not finite.
/// </param>
/// <param name="GradientError">The largest relative L2 error of the inputs' gradients.</param>
/// <param name="PlainError">The largest error of libtorch's own operation if this library replaces it; otherwise null.</param>
public sealed record ArithmeticCheck(string Operation, ScalarType Dtype, int Threads, double ResultError, double GradientError, double? PlainError)
{
    /// <summary>The largest error that counts as correct: far above rounding, far below any fault observed.</summary>
    public double Limit => LimitOf(Dtype);

    /// <summary>The verdict that follows from the errors.</summary>
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
            $"{Operation}, {Precision.NameOf(Dtype)}, {Threads} {(Threads == 1 ? "thread" : "threads")}: result error {ResultError:0.0e+0}, gradient error "
                + $"{GradientError:0.0e+0} (limit "
                + $"{Limit:0.0e+0}){(PlainError is { } plain ? FormattableString.Invariant($", plain libtorch {plain:0.0e+0}") : "")}"
        );
}
