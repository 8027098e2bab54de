using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>How to load a model.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Where the networks run; null means the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>
    /// Precision of the U-Net and the text encoder, weights and arithmetic: float32 (default), bfloat16, float16 or float64. With 16 bits, latents,
    /// embeddings, guidance, DDIM steps, losses and optimiser stay float32; gradients of a float16 network are scaled into its range.
    /// </summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>
    /// Precision of the autoencoder; null (default) takes <see cref="Dtype"/>, and float32 in place of 16 bits, in which some autoencoders overflow.
    /// </summary>
    public ScalarType? VaeDtype { get; init; }

    /// <summary>What may be slower to need less memory; nothing by default.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>
    /// How numbers are computed, as far as it changes results: <c>fp32</c> by default; <c>bf16, autoencoder fp32, tiles of 32 (overlap 8)</c>.
    /// </summary>
    public string Numerics =>
        Precision.NameOf(Dtype)
        + (EffectiveVaeDtype == Dtype ? "" : $", autoencoder {Precision.NameOf(EffectiveVaeDtype)}")
        + (Memory.VaeTile is { } tile ? $", tiles of {tile} (overlap {Memory.Overlap})" : "");

    /// <summary>The autoencoder's precision that holds.</summary>
    internal ScalarType EffectiveVaeDtype => VaeDtype ?? Precision.Wide(Dtype);

    /// <summary>
    /// Which of a folder's weight files: <c>"fp16"</c> takes <c>diffusion_pytorch_model.fp16.safetensors</c>, and <c>""</c> the file without such a word.
    /// Null (default) decides for each part: with a 16-bit <see cref="Dtype"/> the variant of that name where there is one (half the
    /// reading, the same numbers), else the file without a word, else the only variant there is. What was taken is in <see cref="Loading.ModelSource.Notes"/>.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>
    /// What the network predicts; null (default) takes what the model says. A folder says it. A single file of Stable Diffusion 2.x may not:
    /// then its metadata, a <c>.yaml</c> beside it and the published file names are asked, and at last the network itself.
    /// </summary>
    public PredictionType? Prediction { get; init; }

    /// <summary>Whether the schedule ends in pure noise (<see cref="ScheduleConfig.ZeroTerminalSnr"/>); null takes what the model says.</summary>
    public bool? ZeroTerminalSnr { get; init; }

    /// <summary>How a sampler's timesteps are spread; null takes what the model says.</summary>
    public TimestepSpacing? Spacing { get; init; }

    /// <summary>
    /// Folder with CLIP's vocab.json and merges.txt, or a model folder that has one. Null takes the model's own; a single file has none, and
    /// then it is sought beside the file and in the model hub's cache.
    /// </summary>
    public string? Tokenizer { get; init; }

    /// <summary>In a single file that holds both, take the averaged (EMA) weights of the U-Net instead of those of the last training step.</summary>
    public bool UseEma { get; init; }

    /// <summary>Told how far loading is; may be null.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }
}
