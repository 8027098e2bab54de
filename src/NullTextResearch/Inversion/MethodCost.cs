namespace NullTextResearch.Inversion;

/// <summary>What an inversion costs an image at most, in network evaluations.</summary>
/// <param name="Forwards">One latent with one embedding, each.</param>
/// <param name="Backwards">How many of them are followed by a backward pass.</param>
public readonly record struct MethodCost(double Forwards, double Backwards);
