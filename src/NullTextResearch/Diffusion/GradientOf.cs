namespace NullTextResearch.Diffusion;

/// <summary>By which inputs of a network a loss is differentiated.</summary>
[Flags]
public enum GradientOf
{
    /// <summary>The text embedding.</summary>
    Tokens = 1,

    /// <summary>The latents.</summary>
    Latents = 2,
}
