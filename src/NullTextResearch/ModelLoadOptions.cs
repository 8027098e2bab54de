using NullTextResearch.Diffusion;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>How to load a model.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Where the networks run; null means the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>Precision of weights and arithmetic. Null-text optimisation needs float32 or better.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

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
