using NullTextResearch.Weights;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace NullTextResearch.Layers;

/// <summary>Normalisation over the last axis.</summary>
public sealed class LayerNorm
{
    private readonly WeightPath _at;
    private readonly Weight _weight;
    private readonly Weight _bias;
    private readonly long _size;
    private readonly double _epsilon;

    /// <summary>Declares gain and bias [<paramref name="size"/>].</summary>
    public LayerNorm(WeightPath at, long size, double epsilon = 1e-5)
    {
        _at = at;
        _size = size;
        _epsilon = epsilon;
        _weight = at.Declare("weight", [size], WeightInit.Ones);
        _bias = at.Declare("bias", [size], WeightInit.Zeros);
    }

    /// <summary>Same shape as the input; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor x) => _at.Observed(functional.layer_norm(x, [_size], Cast.To(_weight, x), Cast.To(_bias, x), _epsilon));
}
