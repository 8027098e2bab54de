namespace NullTextResearch.Planning;

/// <summary>What kind of work an operation is; each kind has its own ceiling on a machine.</summary>
public enum WorkKind
{
    /// <summary>A convolution of any kernel size.</summary>
    Convolution,

    /// <summary>A linear layer: a matrix product with weights.</summary>
    Linear,

    /// <summary>Self-attention's two products, pixels with pixels, and the softmax between them.</summary>
    SelfAttention,

    /// <summary>Cross-attention's two products, pixels with text tokens, and the softmax between them.</summary>
    CrossAttention,
}
