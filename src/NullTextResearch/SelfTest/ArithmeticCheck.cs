using System.Globalization;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>What was found about one operation.</summary>
public enum ArithmeticVerdict
{
    /// <summary>The machine computes it right.</summary>
    Right,

    /// <summary>libtorch alone computes it wrong here, and this library goes another way, which is right.</summary>
    WorkedAround,

    /// <summary>What this library would use is wrong.</summary>
    Wrong,
}

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

/// <summary>This machine computes wrongly what an optimisation is made of, and there is no way around it.</summary>
public sealed class WrongArithmeticException : Exception
{
    internal WrongArithmeticException(string processor, ScalarType dtype, IReadOnlyList<string> wrong)
        : base(
            $"This machine ({processor}, libtorch {__version__}) computes wrongly in {Precision.NameOf(dtype)}: "
                + $"{string.Join("; ", wrong.Take(3))}{(wrong.Count > 3 ? $"; and {wrong.Count - 3} more" : "")}. "
                + "Results would look plausible and be wrong. Use another precision (--precision fp32), another number of threads (--threads 1), or "
                + $"another machine; 'nulltext doctor' lists every operation. {ArithmeticSelfTest.Variable}=off computes all the same."
        )
    {
        Wrong = wrong;
    }

    /// <summary>What is wrong, one sentence each.</summary>
    public IReadOnlyList<string> Wrong { get; }
}
