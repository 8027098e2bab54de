namespace NullTextResearch.Inversion;

/// <summary>The latents from which <see cref="TextualInversion"/> samples.</summary>
public enum TextualPath
{
    /// <summary>DDIM inversion at guidance 1 with the optimised embedding.</summary>
    InvertWithOptimised,

    /// <summary>DDIM inversion at guidance 1 with the embedding of the prompt.</summary>
    InvertWithPrompt,
}
