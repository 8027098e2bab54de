using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>The contents of a replay, for files.</summary>
/// <param name="Kind">Which replay.</param>
/// <param name="Numbers">Its numbers by name.</param>
/// <param name="Tensors">Its tensors by name, one row per image; borrowed.</param>
public sealed record ReplayData(string Kind, IReadOnlyDictionary<string, double> Numbers, IReadOnlyDictionary<string, Tensor> Tensors)
{
    /// <summary>A replay without numbers or tensors.</summary>
    public static ReplayData Empty(string kind) => new(kind, new Dictionary<string, double>(), new Dictionary<string, Tensor>());

    /// <summary>One of its tensors.</summary>
    /// <exception cref="ArgumentException">It is missing.</exception>
    public Tensor Tensor(string name) =>
        Tensors.TryGetValue(name, out Tensor? tensor) ? tensor : throw new ArgumentException($"The replay '{Kind}' lacks its tensor '{name}'.");

    /// <summary>One of its numbers.</summary>
    /// <exception cref="ArgumentException">It is missing.</exception>
    public double Number(string name) =>
        Numbers.TryGetValue(name, out double number) ? number : throw new ArgumentException($"The replay '{Kind}' lacks its number '{name}'.");
}
