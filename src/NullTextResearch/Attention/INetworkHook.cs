using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>
/// What happens inside a network: at its attention layers, and to the features of its residual blocks. It is told place, step and rows; the network
/// does not know what it is for.
/// </summary>
public interface INetworkHook
{
    /// <summary>Attends.</summary>
    /// <param name="call">Where, when, and which rows.</param>
    /// <param name="query">[B, heads, pixels, d], borrowed; may be a strided view.</param>
    /// <param name="key">[B, heads, keys, d], borrowed.</param>
    /// <param name="value">[B, heads, keys, d], borrowed.</param>
    /// <returns>[B, heads, pixels, d], owned by the caller's dispose scope.</returns>
    Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value);

    /// <summary>Sees what a residual block is about to add to its shortcut, and may replace it.</summary>
    /// <param name="call">Where, when, and which rows.</param>
    /// <param name="features">[B, channels, height, width], borrowed.</param>
    /// <returns>Same shape, owned by the caller's dispose scope; the input itself (default) where nothing changes.</returns>
    Tensor Feature(in FeatureCall call, Tensor features) => features;

    /// <summary>
    /// Whether it does anything to unconditional rows (default: yes). Where it does not, they may run apart from the others, with fused attention.
    /// </summary>
    bool TouchesUnconditional => true;
}
