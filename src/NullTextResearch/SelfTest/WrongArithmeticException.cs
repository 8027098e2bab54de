using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

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
