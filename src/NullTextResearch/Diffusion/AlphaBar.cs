namespace NullTextResearch.Diffusion;

/// <summary>Cumulative signal level of a noise level: 1 is a clean image, 0 is pure noise.</summary>
/// <param name="Value">Between 0 and 1.</param>
public readonly record struct AlphaBar(double Value);
