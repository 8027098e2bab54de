namespace NullTextResearch.Attention;

/// <summary>One attention layer of a U-Net.</summary>
/// <param name="Path">Module path, as in the state dict: <c>down_blocks.0.attentions.0.transformer_blocks.0.attn1</c>.</param>
/// <param name="Stage">Part of the U-Net.</param>
/// <param name="Block">Block within the stage.</param>
/// <param name="Layer">Transformer within the block.</param>
/// <param name="Kind">Self- or cross-attention.</param>
/// <param name="Order">Position in the execution order of the layers, from 0.</param>
/// <param name="Heads">Number of heads.</param>
public sealed record AttentionSite(string Path, UNetStage Stage, int Block, int Layer, AttentionKind Kind, int Order, int Heads)
{
    /// <summary>Number of times the latents' sides were halved (rounding up) before this layer: 0 for the finest maps.</summary>
    public int Halvings { get; init; }

    /// <summary>
    /// Side of its feature map in pixels at the image size that the model was trained at. Layers are selected by this instead of the actual map size, so the
    /// same layers are used at every image size.
    /// </summary>
    public int OwnSide { get; init; }

    /// <summary>Number of transformer blocks in the network, each with one self-attention and one cross-attention layer; 0 if unknown.</summary>
    public int Blocks { get; init; }

    /// <summary>Side of the latents in pixels at the image size that the model was trained at; 0 if unknown.</summary>
    public int FinestSide { get; init; }

    // The released code uses maps of at most 32 x 32 at 512 pixels: every level of Stable Diffusion except the finest. In a larger model the next level plays
    // the same role with more pixels; in a smaller model no level is too fine.
    private const int PublishedSide = 32;

    /// <summary>Whether the layer is coarse enough to have its map read or replaced.</summary>
    /// <param name="maxSide">Largest <see cref="OwnSide"/>; null for the released code's rule.</param>
    internal bool TakesPart(int? maxSide) => maxSide is { } most ? OwnSide <= most : Halvings > 0 || OwnSide <= PublishedSide;
}
