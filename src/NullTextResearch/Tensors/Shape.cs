using System.Globalization;
using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Shape checks whose errors say which shape was expected and which was given.</summary>
public static class Shape
{
    /// <summary>Throws unless <paramref name="tensor"/> has the given shape; -1 accepts any size on that axis.</summary>
    /// <exception cref="ShapeMismatchException">The shape differs.</exception>
    public static void Require(Tensor tensor, ReadOnlySpan<long> expected, [CallerArgumentExpression(nameof(tensor))] string name = "")
    {
        long[] actual = tensor.shape;
        bool same = actual.Length == expected.Length;
        for (int i = 0; same && i < actual.Length; i++)
            same = expected[i] == -1 || expected[i] == actual[i];
        if (!same)
            throw new ShapeMismatchException(name, expected.ToArray(), actual);
    }

    /// <summary>Throws unless both tensors have the same shape.</summary>
    /// <exception cref="ShapeMismatchException">The shapes differ.</exception>
    public static void RequireSame(Tensor tensor, Tensor like, [CallerArgumentExpression(nameof(tensor))] string name = "") =>
        Require(tensor, like.shape, name);

    /// <summary>A shape as text: [1, 4, any, any].</summary>
    public static string Text(IReadOnlyList<long> shape) =>
        $"[{string.Join(", ", shape.Select(n => n < 0 ? "any" : n.ToString(CultureInfo.InvariantCulture)))}]";
}
