namespace NullTextResearch.Diffusion;

/// <summary>The inputs of a network with respect to which a loss is differentiated.</summary>
[Flags]
public enum GradientOf
{
    /// <summary>The text embedding.</summary>
    Tokens = 1,

    /// <summary>The latents.</summary>
    Latents = 2,

    /// <summary>The pooled embedding.</summary>
    Pooled = 4,

    /// <summary>The text embedding behind the values of cross-attention (<see cref="Conditioning.ValueTokens"/>).</summary>
    ValueTokens = 8,
}
