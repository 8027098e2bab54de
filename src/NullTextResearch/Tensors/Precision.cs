using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Names of the precisions that a network may run in: fp32, bf16, fp16.</summary>
public static class Precision
{
    private static readonly (string Name, ScalarType Dtype)[] Known =
    [
        ("fp32", ScalarType.Float32),
        ("bf16", ScalarType.BFloat16),
        ("fp16", ScalarType.Float16),
    ];

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(k => k.Name)];

    /// <summary>The type that a name stands for.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such precision.</exception>
    public static ScalarType Parse(string name)
    {
        foreach ((string known, ScalarType dtype) in Known)
        {
            if (known == name)
                return dtype;
        }
        throw new ArgumentException($"There is no precision '{name}'; it must be one of {string.Join(", ", Names)}.", nameof(name));
    }

    /// <summary>The name of a type; of one that has none here (float64), the type's own.</summary>
    /// <param name="dtype">A floating-point type.</param>
    public static string NameOf(ScalarType dtype)
    {
        foreach ((string name, ScalarType known) in Known)
        {
            if (known == dtype)
                return name;
        }
        return dtype.ToString();
    }

    /// <summary>Whether a number takes 16 bits.</summary>
    /// <param name="dtype">A type.</param>
    public static bool IsHalf(ScalarType dtype) => dtype is ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>The type for sums, latents and losses beside a network of this type: float32 for 16 bits, else the type itself.</summary>
    /// <param name="dtype">The network's type.</param>
    public static ScalarType Wide(ScalarType dtype) => IsHalf(dtype) ? ScalarType.Float32 : dtype;
}

/// <summary>A network left the range of its 16-bit numbers: what it gave is infinite or no number.</summary>
public sealed class PrecisionException : Exception
{
    /// <summary>Says where, in which precision, and what to try.</summary>
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

    /// <summary>Throws where a network of 16-bit numbers has left their range; asks nothing of wider ones, whose losses tell.</summary>
    /// <param name="values">What it gave; borrowed.</param>
    /// <param name="dtype">The network's type.</param>
    /// <param name="what">What the values are, as the subject of a sentence.</param>
    /// <exception cref="PrecisionException">A value is infinite or no number.</exception>
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
