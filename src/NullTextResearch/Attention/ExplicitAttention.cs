using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>softmax(q k^T / sqrt(d)) v with the map in memory; a base for everything that reads or edits maps.</summary>
public class ExplicitAttention : INetworkHook
{
    /// <summary>Attention that reads and edits nothing.</summary>
    public static ExplicitAttention Instance { get; } = new();

    /// <inheritdoc/>
    public virtual Tensor Attend(in AttentionCall at, Tensor query, Tensor key, Tensor value)
    {
        AttentionCall call = at;
        long batch = query.shape[0],
            heads = query.shape[1],
            pixels = query.shape[2],
            size = query.shape[3],
            keys = key.shape[2];
        // No processor multiplies float16 at any speed: there the whole layer is float32 (see Layers.Products; a GPU accumulates in it anyway).
        if (query.dtype == ScalarType.Float16 && query.device.type == DeviceType.CPU)
            return Lifetime.Scoped(() =>
                Attend(call, query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32)).to(ScalarType.Float16)
            );
        // Scaling q costs one pass over pixels x d instead of pixels x keys.
        Tensor q = query.Times(1.0 / Math.Sqrt(size)).reshape(batch * heads, pixels, size);
        Tensor k = key.reshape(batch * heads, keys, size);
        // A map is read, edited and summed up: its rows sum to 1 in float32, and to 0.99 in bfloat16.
        Tensor map = bmm(q, k.transpose(1, 2)).softmax(-1, Precision.Wide(query.dtype));
        map = Process(call, map.view(batch, heads, pixels, keys));
        return bmm(map.reshape(batch * heads, pixels, keys).to(value.dtype), value.reshape(batch * heads, keys, size)).view(batch, heads, pixels, size);
    }

    /// <summary>Sees the map, and may replace it.</summary>
    /// <param name="call">Where and when.</param>
    /// <param name="map">Softmax weights [B, heads, pixels, keys]; rows sum to 1. Float32 where the network has 16 bits.</param>
    /// <returns>The map to use, same shape; the input itself where nothing changes.</returns>
    protected virtual Tensor Process(in AttentionCall call, Tensor map) => map;
}
