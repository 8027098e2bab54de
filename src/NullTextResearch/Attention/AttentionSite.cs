namespace NullTextResearch.Attention;

/// <summary>One attention layer of a U-Net.</summary>
/// <param name="Path">Module path, as in the state dict: <c>down_blocks.0.attentions.0.transformer_blocks.0.attn1</c>.</param>
/// <param name="Stage">Part of the U-Net.</param>
/// <param name="Block">Block within the stage.</param>
/// <param name="Layer">Transformer within the block.</param>
/// <param name="Kind">Self- or cross-attention.</param>
/// <param name="Order">Place in the order in which the layers run, from 0.</param>
/// <param name="Heads">Number of heads.</param>
public sealed record AttentionSite(string Path, UNetStage Stage, int Block, int Layer, AttentionKind Kind, int Order, int Heads)
{
    /// <summary>How often the latents' sides were halved (rounding up) before this layer: 0 for the finest maps.</summary>
    public int Halvings { get; init; }

    /// <summary>
    /// Pixels per side of its feature map at the image size that the model was trained at. Layers are chosen by it and not by the map
    /// at hand, so that the same layers take part at every image size.
    /// </summary>
    public int OwnSide { get; init; }

    /// <summary>Transformer blocks of the network, each with a layer of self- and one of cross-attention; 0 where nobody has said.</summary>
    public int Blocks { get; init; }

    /// <summary>Pixels per side of the latents at the image size that the model was trained at; 0 where nobody has said.</summary>
    public int FinestSide { get; init; }

    // The released code takes maps of at most 32 x 32, at 512 pixels: all of Stable Diffusion but the finest level. A larger
    // model's next level does the same work with more pixels; a smaller model has no level that is too fine.
    private const int PublishedSide = 32;

    /// <summary>Whether the layer is coarse enough to have its map read or replaced.</summary>
    /// <param name="maxSide">Largest <see cref="OwnSide"/>; null for the rule of the released code.</param>
    internal bool TakesPart(int? maxSide) => maxSide is { } most ? OwnSide <= most : Halvings > 0 || OwnSide <= PublishedSide;
}
