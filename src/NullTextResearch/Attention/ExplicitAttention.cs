using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>softmax(q k^T / sqrt(d)) v with the map in memory; the base for all hooks that read or edit maps.</summary>
public class ExplicitAttention : INetworkHook
{
    /// <summary>Explicit attention that leaves the map unchanged.</summary>
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
        // CPUs have no fast float16 products, so the whole layer runs in float32 there (see Layers.Products; a GPU accumulates in float32 anyway).
        if (query.dtype == ScalarType.Float16 && query.device.type == DeviceType.CPU)
            return Lifetime.Scoped(() =>
                Attend(call, query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32)).to(ScalarType.Float16)
            );
        // Scaling q costs one pass over pixels x d instead of pixels x keys.
        Tensor q = query.Times(1.0 / Math.Sqrt(size)).reshape(batch * heads, pixels, size);
        Tensor k = key.reshape(batch * heads, keys, size);
        // Maps are read, edited and accumulated: their rows sum to 1 in float32 but only to 0.99 in bfloat16.
        Tensor map = bmm(q, k.transpose(1, 2)).softmax(-1, Precision.Wide(query.dtype));
        map = Process(call, map.view(batch, heads, pixels, keys));
        return bmm(map.reshape(batch * heads, pixels, keys).to(value.dtype), value.reshape(batch * heads, keys, size)).view(batch, heads, pixels, size);
    }

    /// <summary>Receives the map and may replace it.</summary>
    /// <param name="call">Layer and step.</param>
    /// <param name="map">Softmax weights [B, heads, pixels, keys]; rows sum to 1. Float32 if the network runs in 16 bits.</param>
    /// <returns>The map to use, same shape; the input itself if nothing changes.</returns>
    protected virtual Tensor Process(in AttentionCall call, Tensor map) => map;
}
