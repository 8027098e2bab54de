using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>What a replay is made of, for files.</summary>
/// <param name="Kind">Which replay.</param>
/// <param name="Numbers">Its numbers by name.</param>
/// <param name="Tensors">Its tensors by name, one row per image; borrowed.</param>
public sealed record ReplayData(string Kind, IReadOnlyDictionary<string, double> Numbers, IReadOnlyDictionary<string, Tensor> Tensors)
{
    /// <summary>A replay without numbers or tensors.</summary>
    public static ReplayData Empty(string kind) => new(kind, new Dictionary<string, double>(), new Dictionary<string, Tensor>());

    /// <summary>A tensor of it.</summary>
    /// <exception cref="ArgumentException">It is not there.</exception>
    public Tensor Tensor(string name) =>
        Tensors.TryGetValue(name, out Tensor? tensor) ? tensor : throw new ArgumentException($"The replay '{Kind}' lacks its tensor '{name}'.");

    /// <summary>A number of it.</summary>
    /// <exception cref="ArgumentException">It is not there.</exception>
    public double Number(string name) =>
        Numbers.TryGetValue(name, out double number) ? number : throw new ArgumentException($"The replay '{Kind}' lacks its number '{name}'.");
}
