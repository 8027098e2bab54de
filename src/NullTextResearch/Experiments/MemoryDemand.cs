using NullTextResearch.Images;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>A job, as far as memory is concerned.</summary>
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

    /// <summary>Precision of the U-Net and the text encoder; null uses the model source's, or float32.</summary>
    public ScalarType? Precision { get; init; }

    /// <summary>Precision of the autoencoder; null uses the model source's, or float32 if <see cref="Precision"/> has 16 bits, otherwise the same.</summary>
    public ScalarType? VaePrecision { get; init; }

    /// <summary>Memory options; null uses the model source's, or none.</summary>
    public MemoryOptions? Memory { get; init; }

    /// <summary>Whether the networks are on a GPU; the plan then covers the GPU's memory.</summary>
    public bool IsOnGpu { get; init; }
}
