using System.Globalization;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>A place in the key tree of a network: where a layer declares its weights.</summary>
/// <param name="Set">The set that collects the declarations.</param>
/// <param name="Prefix">The key so far, without a trailing dot.</param>
public readonly record struct WeightPath(WeightSet Set, string Prefix)
{
    /// <summary>The place one level down.</summary>
    public WeightPath this[string name] => new(Set, Prefix.Length == 0 ? name : $"{Prefix}.{name}");

    /// <summary>The place of the i-th item of a list.</summary>
    public WeightPath this[int index] => this[index.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Declares one weight here.</summary>
    public Weight Declare(string name, long[] shape, WeightInit init, long fanIn = 1) => Set.Declare(this[name].Prefix, shape, init, fanIn);

    /// <summary>Passes a module's output to the observer, if there is one.</summary>
    /// <returns>The same tensor.</returns>
    public Tensor Observed(Tensor output)
    {
        Set.Observer?.Invoke(Prefix, output);
        return output;
    }
}
