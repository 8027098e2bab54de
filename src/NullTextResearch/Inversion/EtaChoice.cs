using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>What eta inversion chose at a step.</summary>
/// <param name="Step">The step.</param>
/// <param name="Eta">Share of the DDPM noise.</param>
/// <param name="Picked">Index of the chosen draw, for each image.</param>
/// <param name="Losses">Mean squared difference between that draw and the noise that would have led to the pivot, for each image.</param>
public sealed record EtaChoice(DiffusionStep Step, double Eta, IReadOnlyList<long> Picked, IReadOnlyList<double> Losses);
