using NullTextResearch.Diffusion;

namespace NullTextResearch.Editing;

/// <summary>The current step of an edit, with the network and plan it may use.</summary>
/// <param name="Network">The network with the director's hook installed; borrowed.</param>
/// <param name="Plan">Prompts, guidance and rows; borrowed.</param>
/// <param name="Step">The step.</param>
public sealed record EditStep(INoisePredictor Network, SamplingPlan Plan, DiffusionStep Step);
