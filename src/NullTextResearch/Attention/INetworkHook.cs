using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>
/// A hook into a network: it computes attention and may replace the features of residual blocks. It receives layer, step and batch rows; the network does not
/// know its purpose.
/// </summary>
public interface INetworkHook
{
    /// <summary>Computes attention.</summary>
    /// <param name="call">Layer, step and batch rows.</param>
    /// <param name="query">[B, heads, pixels, d], borrowed; may be a strided view.</param>
    /// <param name="key">[B, heads, keys, d], borrowed.</param>
    /// <param name="value">[B, heads, keys, d], borrowed.</param>
    /// <returns>[B, heads, pixels, d], owned by the caller's dispose scope.</returns>
    Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value);

    /// <summary>Receives the features that a residual block adds to its shortcut and may replace them.</summary>
    /// <param name="call">Layer, step and batch rows.</param>
    /// <param name="features">[B, channels, height, width], borrowed.</param>
    /// <returns>Same shape, owned by the caller's dispose scope; the input itself (default) if nothing changes.</returns>
    Tensor Feature(in FeatureCall call, Tensor features) => features;

    /// <summary>Whether the hook affects unconditional rows (default: yes). If not, they may run separately from the others, with fused attention.</summary>
    bool TouchesUnconditional => true;
}
