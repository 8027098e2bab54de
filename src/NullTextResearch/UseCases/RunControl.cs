using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;

namespace NullTextResearch;

/// <summary>How to observe and cancel long-running work.</summary>
public sealed record RunControl
{
    /// <summary>Called after each step; null (default) to disable.</summary>
    public IProgress<InversionProgress>? Progress { get; init; }

    /// <summary>Checked at every step. Cancelled work leaves no tensors behind.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Wraps the network's predictor in a custom one, to observe its calls; null (default) leaves it unchanged.</summary>
    public Func<INoisePredictor, INoisePredictor>? Watch { get; init; }

    internal INoisePredictor Watched(INoisePredictor predictor) => Watch?.Invoke(predictor) ?? predictor;
}
