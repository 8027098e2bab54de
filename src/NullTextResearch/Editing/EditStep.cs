using NullTextResearch.Diffusion;

namespace NullTextResearch.Editing;

/// <summary>Where an edit is, and what it may ask.</summary>
/// <param name="Network">The network with the director's hook inside; borrowed.</param>
/// <param name="Plan">Prompts, guidance and rows; borrowed.</param>
/// <param name="Step">The step.</param>
public sealed record EditStep(INoisePredictor Network, SamplingPlan Plan, DiffusionStep Step);
