using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Layers;

/// <summary>A table of vectors, looked up by index.</summary>
public sealed class Embedding
{
    private readonly WeightPath _at;
    private readonly Weight _weight;

    /// <summary>Declares weight [<paramref name="count"/>, <paramref name="size"/>].</summary>
    public Embedding(WeightPath at, long count, long size)
    {
        _at = at;
        _weight = at.Declare("weight", [count, size], WeightInit.Normal002);
    }

    /// <summary>The dtype of the stored vectors, which determines the dtype in which a text encoder runs.</summary>
    public ScalarType Dtype => _weight.Value.dtype;

    /// <summary>The device of the table.</summary>
    public Device Device => _weight.Value.device;

    /// <summary>Integer indices [...] to vectors [..., size]; owned by the caller's dispose scope.</summary>
    public Tensor Forward(Tensor indices) => _at.Observed(_weight.Value.index_select(0, indices.flatten()).view([.. indices.shape, _weight.Dimensions[1]]));
}
