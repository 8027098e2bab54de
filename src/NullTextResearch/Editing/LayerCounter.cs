using NullTextResearch.Attention;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Passes everything on to a hook and remembers which layers called: a network that ignores its hook would edit nothing.</summary>
internal sealed class LayerCounter(INetworkHook hook) : INetworkHook
{
    private readonly HashSet<int> _layers = [];

    /// <summary>Distinct attention layers so far.</summary>
    public int Layers => _layers.Count;

    /// <inheritdoc/>
    public bool TouchesUnconditional => hook.TouchesUnconditional;

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        _layers.Add(call.Site.Order);
        return hook.Attend(call, query, key, value);
    }

    /// <inheritdoc/>
    public Tensor Feature(in FeatureCall call, Tensor features) => hook.Feature(call, features);
}
