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

    /// <summary>The type for a name.</summary>
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

    /// <summary>The name of a type; for a type without a name here (float64), the type's own name.</summary>
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

    /// <summary>Whether a type has 16 bits.</summary>
    /// <param name="dtype">A type.</param>
    public static bool IsHalf(ScalarType dtype) => dtype is ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>The type for sums, latents and losses used with a network of this type: float32 for 16-bit types, otherwise the type itself.</summary>
    /// <param name="dtype">The network's type.</param>
    public static ScalarType Wide(ScalarType dtype) => IsHalf(dtype) ? ScalarType.Float32 : dtype;
}
