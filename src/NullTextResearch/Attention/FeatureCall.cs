using NullTextResearch.Diffusion;

namespace NullTextResearch.Attention;

/// <summary>One run of a residual block.</summary>
/// <param name="Site">Which block.</param>
/// <param name="Step">Sampling step 0..T-1, noisy to clean.</param>
/// <param name="Rows">Layout of the batch rows.</param>
public readonly record struct FeatureCall(ResidualSite Site, int Step, BatchLayout Rows);
