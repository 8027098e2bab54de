using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>The library's fused kernel: never builds the map. For every layer whose map nobody reads.</summary>
public sealed class FusedAttention : INetworkHook
{
    /// <summary>The one instance; it has no state.</summary>
    public static FusedAttention Instance { get; } = new();

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) => nn.functional.scaled_dot_product_attention(query, key, value);
}
