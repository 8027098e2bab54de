using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>This machine computes wrong results in an operation that optimisation needs, and there is no workaround.</summary>
public sealed class WrongArithmeticException : Exception
{
    internal WrongArithmeticException(string processor, ScalarType dtype, IReadOnlyList<string> wrong)
        : base(
            $"This machine ({processor}, libtorch {__version__}) computes wrong results in {Precision.NameOf(dtype)}: "
                + $"{string.Join("; ", wrong.Take(3))}{(wrong.Count > 3 ? $"; and {wrong.Count - 3} more" : "")}. "
                + "The output would look plausible but be wrong. Use another precision (--precision fp32), another number of threads (--threads 1), or "
                + $"another machine; 'nulltext doctor' lists every operation. {ArithmeticSelfTest.Variable}=off computes anyway."
        )
    {
        Wrong = wrong;
    }

    /// <summary>The faults found, one sentence each.</summary>
    public IReadOnlyList<string> Wrong { get; }
}
