using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>Which part of the U-Net.</summary>
public enum UNetStage
{
    /// <summary>Contracting path.</summary>
    Down,

    /// <summary>Bottleneck.</summary>
    Mid,

    /// <summary>Expanding path.</summary>
    Up,
}

/// <summary>What attends to what.</summary>
public enum AttentionKind
{
    /// <summary>Pixels to pixels.</summary>
    Self,

    /// <summary>Pixels to text tokens.</summary>
    Cross,
}

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

/// <summary>One run of an attention layer.</summary>
/// <param name="Site">Which layer.</param>
/// <param name="Step">Sampling step 0..T-1, noisy to clean (loop index, not network timestep).</param>
/// <param name="Height">Height of the feature map whose pixels are the queries.</param>
/// <param name="Width">Width of that map.</param>
/// <param name="Rows">What the rows of the batch are.</param>
public readonly record struct AttentionCall(AttentionSite Site, int Step, int Height, int Width, BatchLayout Rows);

/// <summary>One residual block of a U-Net.</summary>
/// <param name="Path">Module path, as in the state dict: <c>up_blocks.1.resnets.1</c>.</param>
/// <param name="Stage">Part of the U-Net.</param>
/// <param name="Block">Block within the stage.</param>
/// <param name="Layer">Residual block within the block.</param>
/// <param name="Order">Place in the order in which the residual blocks run, from 0.</param>
public sealed record ResidualSite(string Path, UNetStage Stage, int Block, int Layer, int Order);

/// <summary>One run of a residual block.</summary>
/// <param name="Site">Which block.</param>
/// <param name="Step">Sampling step 0..T-1, noisy to clean.</param>
/// <param name="Rows">What the rows of the batch are.</param>
public readonly record struct FeatureCall(ResidualSite Site, int Step, BatchLayout Rows);

/// <summary>
/// What happens inside a network: at its attention layers, and to the features of its residual blocks. It is told place, step and rows; the network
/// does not know what it is for.
/// </summary>
public interface INetworkHook
{
    /// <summary>Attends.</summary>
    /// <param name="call">Where, when, and which rows.</param>
    /// <param name="query">[B, heads, pixels, d], borrowed; may be a strided view.</param>
    /// <param name="key">[B, heads, keys, d], borrowed.</param>
    /// <param name="value">[B, heads, keys, d], borrowed.</param>
    /// <returns>[B, heads, pixels, d], owned by the caller's dispose scope.</returns>
    Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value);

    /// <summary>Sees what a residual block is about to add to its shortcut, and may replace it.</summary>
    /// <param name="call">Where, when, and which rows.</param>
    /// <param name="features">[B, channels, height, width], borrowed.</param>
    /// <returns>Same shape, owned by the caller's dispose scope; the input itself (default) where nothing changes.</returns>
    Tensor Feature(in FeatureCall call, Tensor features) => features;

    /// <summary>
    /// Whether it does anything to unconditional rows (default: yes). Where it does not, they may run apart from the others, with fused attention.
    /// </summary>
    bool TouchesUnconditional => true;
}

/// <summary>The library's fused kernel: never builds the map. For every layer whose map nobody reads.</summary>
public sealed class FusedAttention : INetworkHook
{
    /// <summary>The one instance; it has no state.</summary>
    public static FusedAttention Instance { get; } = new();

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) => nn.functional.scaled_dot_product_attention(query, key, value);
}

/// <summary>softmax(q k^T / sqrt(d)) v with the map in memory; a base for everything that reads or edits maps.</summary>
public class ExplicitAttention : INetworkHook
{
    /// <summary>Attention that reads and edits nothing.</summary>
    public static ExplicitAttention Instance { get; } = new();

    /// <inheritdoc/>
    public virtual Tensor Attend(in AttentionCall at, Tensor query, Tensor key, Tensor value)
    {
        AttentionCall call = at;
        long batch = query.shape[0],
            heads = query.shape[1],
            pixels = query.shape[2],
            size = query.shape[3],
            keys = key.shape[2];
        // No processor multiplies float16 at any speed: there the whole layer is float32 (see Layers.Products; a GPU accumulates in it anyway).
        if (query.dtype == ScalarType.Float16 && query.device.type == DeviceType.CPU)
            return Lifetime.Scoped(() =>
                Attend(call, query.to(ScalarType.Float32), key.to(ScalarType.Float32), value.to(ScalarType.Float32)).to(ScalarType.Float16)
            );
        // Scaling q costs one pass over pixels x d instead of pixels x keys.
        Tensor q = query.Times(1.0 / Math.Sqrt(size)).reshape(batch * heads, pixels, size);
        Tensor k = key.reshape(batch * heads, keys, size);
        // A map is read, edited and summed up: its rows sum to 1 in float32, and to 0.99 in bfloat16.
        Tensor map = bmm(q, k.transpose(1, 2)).softmax(-1, Precision.Wide(query.dtype));
        map = Process(call, map.view(batch, heads, pixels, keys));
        return bmm(map.reshape(batch * heads, pixels, keys).to(value.dtype), value.reshape(batch * heads, keys, size)).view(batch, heads, pixels, size);
    }

    /// <summary>Sees the map, and may replace it.</summary>
    /// <param name="call">Where and when.</param>
    /// <param name="map">Softmax weights [B, heads, pixels, keys]; rows sum to 1. Float32 where the network has 16 bits.</param>
    /// <returns>The map to use, same shape; the input itself where nothing changes.</returns>
    protected virtual Tensor Process(in AttentionCall call, Tensor map) => map;
}
