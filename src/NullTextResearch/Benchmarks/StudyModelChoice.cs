using System.Text.Json.Serialization;
using NullTextResearch.Tensors;

namespace NullTextResearch.Benchmarks;

/// <summary>A model of a study, and how it is read. What changes its numbers is part of the keys of its results; where it runs is not.</summary>
public sealed record StudyModelChoice
{
    /// <summary>sd-mini, a folder, a file, or owner/name of a pulled model.</summary>
    public required string Model { get; init; }

    /// <summary>Name in tables; null for <see cref="Model"/>, with the precision if one is given.</summary>
    public string? Name { get; init; }

    /// <summary>Precision of the U-Net and the text encoder, one of <see cref="Precision.Names"/>; null for fp32.</summary>
    public string? Precision { get; init; }

    /// <summary>Precision of the autoencoder; null for the default.</summary>
    public string? VaePrecision { get; init; }

    /// <summary>Variant of the weight files; null for the plain files, else whatever exists.</summary>
    public string? Variant { get; init; }

    /// <summary>"epsilon" or "v"; null for what the model declares.</summary>
    public string? Prediction { get; init; }

    /// <summary>Folder of the tokenizer, for single files; null for the default.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Whether gradients are computed in segments of the U-Net, to save memory.</summary>
    public bool Checkpointing { get; init; }

    /// <summary>Whether the two predictions of guidance run one after the other, to save memory.</summary>
    public bool Sequential { get; init; }

    /// <summary>Whether text encoder and autoencoder are loaded only while they are in use, to save memory.</summary>
    public bool Offload { get; init; }

    /// <summary>Side of the autoencoder's tiles in latents, to save memory; null for no tiles.</summary>
    public int? VaeTile { get; init; }

    /// <summary>Name in tables.</summary>
    [JsonIgnore]
    public string Label => Name ?? (Precision is null ? Model : $"{Model}-{Precision}");
}
