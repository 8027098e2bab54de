using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch;

/// <summary>An inverted picture; edit it as often as you like. Owns its tensors.</summary>
public sealed class InvertedPicture : IDisposable
{
    internal InvertedPicture() { }

    /// <summary>The picture, at the size at which it was inverted.</summary>
    public required RgbImage Image { get; init; }

    /// <summary>Its prompt.</summary>
    public required string Prompt { get; init; }

    /// <summary>The picture after the autoencoder's round trip: the best result that any inversion can reach.</summary>
    public required RgbImage RoundTrip { get; init; }

    /// <summary>The picture reconstructed from noise by guided sampling.</summary>
    public required RgbImage Reconstruction { get; init; }

    /// <summary>Start latents, embeddings, pivot and losses, for use with the library's other functions.</summary>
    public required InversionResult Inversion { get; init; }

    /// <summary>Steps.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>Options used.</summary>
    public required InvertOptions Options { get; init; }

    /// <summary>Parts of the prompt that the model does not understand, one sentence each; empty for models with an open vocabulary.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Distance of each step's unconditional embedding from the empty prompt's, relative to the latter's norm; step 0 is the noisiest.</summary>
    public required IReadOnlyList<double> EmbeddingDistance { get; init; }

    /// <summary>PSNR of the reconstruction against the picture, dB.</summary>
    public double Psnr => Metrics.Psnr.Of(Reconstruction, Image);

    /// <summary>PSNR of the autoencoder's round trip against the picture, dB: the ceiling.</summary>
    public double RoundTripPsnr => Metrics.Psnr.Of(RoundTrip, Image);

    /// <summary>Frees the tensors; the pictures remain.</summary>
    public void Dispose() => Inversion.Dispose();
}
