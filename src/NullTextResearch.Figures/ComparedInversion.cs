using NullTextResearch.Images;

namespace NullTextResearch.Figures;

/// <summary>Result of one inversion method on a picture.</summary>
/// <param name="RoundTrip">The picture through the autoencoder and back: the best that any inversion can reach.</param>
/// <param name="Reconstruction">The picture rebuilt from noise by guided sampling; same size as <paramref name="RoundTrip"/>.</param>
/// <param name="Evaluations">Network evaluations of the inversion; each is one latent with one embedding.</param>
/// <param name="Backwards">How many of them were followed by a backward pass.</param>
/// <param name="Seconds">Time of the inversion.</param>
public sealed record ComparedInversion(RgbImage RoundTrip, RgbImage Reconstruction, double Evaluations, double Backwards, double Seconds);
