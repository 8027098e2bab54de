using static TorchSharp.torch;

namespace NullTextResearch.UNet;

/// <summary>Sinusoids looked up in a table, for agreement to the last digit with a recorded run.</summary>
/// <param name="table">[1000, channels], borrowed for the lifetime of this object.</param>
public sealed class TableProjection(Tensor table) : ITimeProjection
{
    /// <inheritdoc/>
    public Tensor Project(Tensor timesteps, long channels)
    {
        Tensors.Shape.Require(table, [-1, channels]);
        return table.index_select(0, timesteps.to(ScalarType.Int64));
    }
}
