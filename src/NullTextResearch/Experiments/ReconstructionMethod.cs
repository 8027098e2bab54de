namespace NullTextResearch.Experiments;

/// <summary>A way to reconstruct an image, as compared in the paper's section 4 and in addition to it.</summary>
public enum ReconstructionMethod
{
    /// <summary>DDIM inversion at guidance 1, sampled at w with the empty prompt.</summary>
    Ddim,

    /// <summary>Null-text inversion (the paper's).</summary>
    NullText,

    /// <summary>The same with another image's caption.</summary>
    RandomCaption,

    /// <summary>One null-text embedding for all timesteps.</summary>
    GlobalNullText,

    /// <summary>A random trajectory as the pivot.</summary>
    RandomPivot,

    /// <summary>The prompt's embedding optimised, no pivot.</summary>
    TextualInversion,

    /// <summary>The null-text embedding optimised, no pivot.</summary>
    NonPivotal,

    /// <summary>The prompt's embedding optimised against the pivot.</summary>
    TextualInversionWithPivot,

    /// <summary>The prompt instead of the null text.</summary>
    NegativePrompt,

    /// <summary>Latents reset to the pivot after each step.</summary>
    DirectInversion,
}
