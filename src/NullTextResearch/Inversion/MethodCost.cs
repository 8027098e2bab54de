namespace NullTextResearch.Inversion;

/// <summary>The maximum cost of an inversion per image, in network evaluations.</summary>
/// <param name="Forwards">Evaluations, of one latent with one embedding each.</param>
/// <param name="Backwards">How many of them are followed by a backward pass.</param>
public readonly record struct MethodCost(double Forwards, double Backwards);
