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
    /// Precision of the autoencoder; null (default) uses <see cref="Dtype"/>, but float32 instead of 16 bits, in which some autoencoders overflow.
    /// </summary>
    public ScalarType? VaeDtype { get; init; }

    /// <summary>Memory-saving options, which may cost time; none by default.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>The numerical settings that affect results: <c>fp32</c> by default; <c>bf16, autoencoder fp32, tiles of 32 (overlap 8)</c>.</summary>
    public string Numerics =>
        Precision.NameOf(Dtype)
        + (EffectiveVaeDtype == Dtype ? "" : $", autoencoder {Precision.NameOf(EffectiveVaeDtype)}")
        + (Memory.VaeTile is { } tile ? $", tiles of {tile} (overlap {Memory.Overlap})" : "");

    /// <summary>The autoencoder's effective precision.</summary>
    internal ScalarType EffectiveVaeDtype => VaeDtype ?? Precision.Wide(Dtype);

    /// <summary>
    /// Which of a folder's weight files to use: <c>"fp16"</c> selects <c>diffusion_pytorch_model.fp16.safetensors</c>, and <c>""</c> the file without such a
    /// suffix. Null (default) decides for each part: with a 16-bit <see cref="Dtype"/> the variant of that name if there is one (half as much to read, the same
    /// numbers), otherwise the file without a suffix, otherwise the only available variant. The choice is reported in <see cref="Loading.ModelSource.Notes"/>.
    /// </summary>
    public string? Variant { get; init; }

    /// <summary>
    /// What the network predicts; null (default) uses what the model specifies. A folder specifies it. A single file of Stable Diffusion 2.x may not: then its
    /// metadata, a <c>.yaml</c> next to it and the published file names are consulted, and finally the network itself is probed.
    /// </summary>
    public PredictionType? Prediction { get; init; }

    /// <summary>Whether the schedule ends in pure noise (<see cref="ScheduleConfig.ZeroTerminalSnr"/>); null uses what the model specifies.</summary>
    public bool? ZeroTerminalSnr { get; init; }

    /// <summary>How a sampler's timesteps are spaced; null uses what the model specifies.</summary>
    public TimestepSpacing? Spacing { get; init; }

    /// <summary>
    /// Folder with CLIP's vocab.json and merges.txt, or a model folder that has one. Null uses the model's own; a single file has none, so it is searched for
    /// next to the file and in the model hub's cache.
    /// </summary>
    public string? Tokenizer { get; init; }

    /// <summary>In a single file that holds both, use the averaged (EMA) weights of the U-Net instead of those of the last training step.</summary>
    public bool UseEma { get; init; }

    /// <summary>Receives the loading progress; null to disable.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }
}
