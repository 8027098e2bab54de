using NullTextResearch.Images;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>What is to be done, as far as memory is concerned.</summary>
public sealed record MemoryDemand
{
    /// <summary>Size of the images; one number is a square.</summary>
    public required PixelSize ImageSize { get; init; }

    /// <summary>Rows that go through the U-Net in one call: images, times two with guidance, times source and targets when editing.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows whose embedding is optimised in one call; their activations are kept for the backward pass. 0 without optimisation.</summary>
    public int GradientRows { get; init; }

    /// <summary>Images that go through the autoencoder in one call.</summary>
    public int Images { get; init; } = 1;

    /// <summary>Whether attention maps are made explicitly (edits, heat maps) at all layers.</summary>
    public bool ExplicitAttention { get; init; }

    /// <summary>Type of the U-Net's and the text encoder's numbers; null takes the one that the model is looked at with, or float32.</summary>
    public ScalarType? Precision { get; init; }

    /// <summary>
    /// Type of the autoencoder's numbers; null takes the one that the model is looked at with, or float32 where <see cref="Precision"/> has 16 bits,
    /// else the same.
    /// </summary>
    public ScalarType? VaePrecision { get; init; }

    /// <summary>What saves memory; null takes what the model is looked at with, or nothing.</summary>
    public MemoryOptions? Memory { get; init; }

    /// <summary>Whether the networks are on a GPU; then the plan is about its memory.</summary>
    public bool IsOnGpu { get; init; }
}
