using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>libtorch's fused kernel, which never builds the map. Used at every layer whose map is not read.</summary>
public sealed class FusedAttention : INetworkHook
{
    /// <summary>The one instance; it has no state.</summary>
    public static FusedAttention Instance { get; } = new();

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) => nn.functional.scaled_dot_product_attention(query, key, value);
}
