using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>Records a run without changing it: keeps the features of residual blocks at some steps, on the CPU. Owns them.</summary>
/// <param name="steps">Sampling steps to keep, 0 (noisiest) to T-1; null for all.</param>
public sealed class FeatureStore(IReadOnlySet<int>? steps = null) : INetworkHook, IDisposable
{
    private readonly List<StoredFeature> _features = [];

    /// <summary>What was kept, in the order in which it was computed. The tensors are borrowed.</summary>
    public IReadOnlyList<StoredFeature> Features => _features;

    /// <inheritdoc/>
    public bool TouchesUnconditional => false;

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) => FusedAttention.Instance.Attend(call, query, key, value);

    /// <inheritdoc/>
    public Tensor Feature(in FeatureCall call, Tensor features)
    {
        int first = call.Rows.FirstConditional;
        if (first < 0 || (steps is not null && !steps.Contains(call.Step)))
            return features;
        using DisposeScope scope = NewDisposeScope();
        // A copy in any case: the network may reuse the memory of what it passes.
        Tensor kept = features.narrow(0, first, features.shape[0] - first).detach().to(ScalarType.Float32, CPU, copy: true).contiguous();
        _features.Add(new StoredFeature(call.Site, call.Step, kept.DetachFromDisposeScope()));
        return features;
    }

    /// <summary>Frees the features.</summary>
    public void Dispose()
    {
        foreach (StoredFeature feature in _features)
            feature.Values.Dispose();
        _features.Clear();
    }
}
