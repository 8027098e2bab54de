using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>The features that a residual block added at a step.</summary>
/// <param name="Site">Which block.</param>
/// <param name="Step">Sampling step 0..T-1, noisy to clean.</param>
/// <param name="Values">Of the conditional rows, [B, channels, height, width], float32; owned by the store.</param>
public sealed record StoredFeature(ResidualSite Site, int Step, Tensor Values);
