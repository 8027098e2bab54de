namespace NullTextResearch.Diffusion;

/// <summary>One move of a sampler between two neighbouring noise levels.</summary>
/// <param name="Step">Loop index 0..T-1, noisy to clean.</param>
/// <param name="Timestep">Timestep passed to the network, 0..999.</param>
/// <param name="Noisy">Signal level at the noisy end.</param>
/// <param name="Clean">Signal level at the clean end.</param>
public readonly record struct DiffusionStep(int Step, int Timestep, NoiseLevel Noisy, NoiseLevel Clean);
