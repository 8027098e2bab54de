using NullTextResearch.Diffusion;

namespace NullTextResearch.Attention;

/// <summary>One run of an attention layer.</summary>
/// <param name="Site">Which layer.</param>
/// <param name="Step">Sampling step 0..T-1, noisy to clean (loop index, not network timestep).</param>
/// <param name="Height">Height of the feature map whose pixels are the queries.</param>
/// <param name="Width">Width of that map.</param>
/// <param name="Rows">Layout of the batch rows.</param>
public readonly record struct AttentionCall(AttentionSite Site, int Step, int Height, int Width, BatchLayout Rows);
