using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;

namespace NullTextResearch.Editing;

/// <summary>Inverted images and their edits. All tensors are borrowed.</summary>
public sealed record EditProblem
{
    /// <summary>Creates the network's noise predictor with a given hook.</summary>
    public required Func<INetworkHook, INoisePredictor> Predictor { get; init; }

    /// <summary>The inversion's steps.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>The inverted images.</summary>
    public required InversionResult Inversion { get; init; }

    /// <summary>Edits of each image, in the inversion's order.</summary>
    public required IReadOnlyList<ImageEdit> Edits { get; init; }

    /// <summary>Per image: embeddings of its target prompts, one row each, in the latents' dtype.</summary>
    public required IReadOnlyList<StepEmbeddings> TargetEmbeddings { get; init; }

    /// <summary>Embeddings of the source prompts, one row per image; null uses the inversion's.</summary>
    public StepEmbeddings? SourceEmbeddings { get; init; }

    /// <summary>Embedding of the empty prompt, [1, tokens, d], for editors that need it; null if it is not available.</summary>
    public Conditioning? Empty { get; init; }

    /// <summary>w; null uses the inversion's.</summary>
    public double? GuidanceScale { get; init; }
}
