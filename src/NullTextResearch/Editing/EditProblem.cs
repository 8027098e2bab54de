using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Inverted images and what to make of them. All tensors are borrowed.</summary>
public sealed record EditProblem
{
    /// <summary>Makes the network's noise predictor with a given attention processor.</summary>
    public required Func<INetworkHook, INoisePredictor> Predictor { get; init; }

    /// <summary>Steps; those of the inversion.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>The inverted images.</summary>
    public required InversionResult Inversion { get; init; }

    /// <summary>Edits of each image, in the inversion's order.</summary>
    public required IReadOnlyList<ImageEdit> Edits { get; init; }

    /// <summary>Per image: embeddings of its target prompts, one row each, in the latents' dtype.</summary>
    public required IReadOnlyList<StepEmbeddings> TargetEmbeddings { get; init; }

    /// <summary>Embeddings of the source prompts, one row per image; null takes the inversion's.</summary>
    public StepEmbeddings? SourceEmbeddings { get; init; }

    /// <summary>Embedding of the empty prompt, [1, tokens, d], for editors that ask for it; null where nobody has it.</summary>
    public Tensor? Empty { get; init; }

    /// <summary>w; null takes the inversion's.</summary>
    public double? GuidanceScale { get; init; }
}
