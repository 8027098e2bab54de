using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;

namespace NullTextResearch;

/// <summary>How to watch and to stop long work.</summary>
public sealed record RunControl
{
    /// <summary>Told after each step; null (default) tells nobody.</summary>
    public IProgress<InversionProgress>? Progress { get; init; }

    /// <summary>Checked at every step. Work that is stopped leaves no tensors behind.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Puts a predictor of one's own around the network's, to see what passes through; null (default) leaves it as it is.</summary>
    public Func<INoisePredictor, INoisePredictor>? Watch { get; init; }

    internal INoisePredictor Watched(INoisePredictor predictor) => Watch?.Invoke(predictor) ?? predictor;
}
