using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Input of SDEdit. All tensors are borrowed.</summary>
public sealed record SdEditProblem
{
    /// <summary>Noise predictor.</summary>
    public required INoisePredictor Predictor { get; init; }

    /// <summary>Steps.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>z_0 of the images, [B, 4, H, W].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>Embeddings of the target prompts, B rows.</summary>
    public required StepEmbeddings Conditional { get; init; }

    /// <summary>Embedding of the empty prompt, or the null-text embeddings of an inversion of these images (the paper's variant); 1 or B rows.</summary>
    public required StepEmbeddings Unconditional { get; init; }

    /// <summary>w.</summary>
    public double GuidanceScale { get; init; } = 7.5;
}
