using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>
/// Structure distance (Tumanyan et al. 2022, "Splicing ViT features for semantic appearance transfer"): the mean squared difference between the
/// self-similarities of two pictures, each the cosines between the keys of DINO's last block. 0 for equal structures, lower is closer, at most 4.
/// </summary>
/// <remarks>
/// The shorter side is resized to 224 pixels, the longer side to at most 480. Tables often give the value times 1000. Several threads may use one instance
/// concurrently.
/// </remarks>
public sealed class DinoStructure : IDisposable
{
    private const int ShortSide = 224;
    private const int MostSide = 480;

    private static readonly double[] Mean = [0.485, 0.456, 0.406];
    private static readonly double[] Deviation = [0.229, 0.224, 0.225];

    /// <summary>Creates the measure from a network with loaded weights.</summary>
    /// <param name="model">The network; this object takes ownership.</param>
    public DinoStructure(DinoModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
    }

    /// <summary>The network.</summary>
    public DinoModel Model { get; }

    /// <summary>Loads published weights.</summary>
    /// <param name="path">
    /// The authors' file as .safetensors (<c>dino_vitbase8_pretrain</c>, the backbone alone), or a folder with one such file, whose name begins with
    /// <c>dino</c>.
    /// </param>
    /// <param name="config">Its architecture; null means ViT-B/8.</param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <param name="dtype">Precision of the arithmetic.</param>
    /// <exception cref="ModelFormatException">A file is missing, damaged or a pickle.</exception>
    /// <exception cref="CheckpointMismatchException">The file holds the weights of another network.</exception>
    public static DinoStructure Load(string path, DinoConfig? config = null, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        const string Expected =
            "the backbone of DINO as its authors publish it (dino_vitbase8_pretrain and the like, with cls_token, pos_embed, patch_embed.proj.weight, "
            + "blocks.0.attn.qkv.weight), as a .safetensors file, or a folder with one";
        string file = PublishedWeights.IsFolder(path, Expected) ? PublishedWeights.Find(path, "dino*", "the weights of DINO") : path;
        DinoModel model = new(config ?? DinoConfig.Base8);
        try
        {
            PublishedWeights.Load(
                model.Weights,
                [file],
                device,
                dtype,
                key => [new KeySource(key)],
                key => key.StartsWith("head.", StringComparison.Ordinal),
                $"Expected: {Expected}. Pass the config that matches the file; this one is a ViT of width {model.Config.Width} with {model.Config.Depth} "
                    + $"blocks on patches of {model.Config.PatchSize} pixels."
            );
            return new DinoStructure(model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Measures the distance of two images.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mode">How both are prepared.</param>
    /// <returns>0 (equal structures) to 4; the order of the two does not matter.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public double Of(RgbImage image, RgbImage reference, StructureMode mode)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(reference);
        if (image.Width != reference.Width || image.Height != reference.Height)
            throw new ArgumentException($"images to compare need the same size, got {image} and {reference}; prepare both the same way");
        using DisposeScope scope = NewDisposeScope();
        return Lifetime.WithoutGradient(() => Distance(Similarity(image, mode), Similarity(reference, mode))).to(ScalarType.Float64).item<double>();
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>Values in [0, 1] normalised with the network's mean and deviation, [1, 3, H, W]; in the current dispose scope.</summary>
    internal static Tensor Pixels(RgbImage image, Device device, ScalarType dtype) => PixelScale.Normalised(image, Mean, Deviation, 1, device, dtype);

    /// <summary>Cosines between all keys, [B, tokens, tokens]; the keys of all heads are concatenated.</summary>
    /// <param name="keys">[B, heads, tokens, width]; borrowed.</param>
    internal static Tensor SelfSimilarity(Tensor keys) =>
        Lifetime.Scoped(() =>
        {
            Tensor joined = keys.transpose(1, 2).flatten(2);
            Tensor lengths = joined.Squared().sum([2], keepdim: true).sqrt();
            return joined.matmul(joined.transpose(1, 2)).div(lengths.matmul(lengths.transpose(1, 2)).AtLeast(1e-8));
        });

    /// <summary>Mean squared difference of two self-similarities, one number.</summary>
    internal static Tensor Distance(Tensor a, Tensor b) => Lifetime.Scoped(() => a.sub(b).Squared().mean());

    private Tensor Similarity(RgbImage image, StructureMode mode) =>
        Lifetime.Scoped(() =>
        {
            (double white, bool antialias) = mode switch
            {
                StructureMode.PieOfficial => (255.0, false),
                StructureMode.Corrected => (1.0, true),
                _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a mode"),
            };
            ScalarType wide = Precision.Wide(Model.Dtype);
            (int width, int height) = Target(image.Width, image.Height);
            Tensor values = PixelScale.Values(image, white, Model.Device, wide);
            if (width != image.Width || height != image.Height)
                values = LinearResize.Of(values, height, width, antialias);
            return SelfSimilarity(Model.Keys(PixelScale.Normalised(values, Mean, Deviation).to(Model.Dtype)).to(wide));
        });

    private static (int Width, int Height) Target(int width, int height)
    {
        int few = ShortSide,
            many = (int)((double)ShortSide * Math.Max(width, height) / Math.Min(width, height));
        if (many > MostSide)
            (few, many) = ((int)((double)MostSide * few / many), MostSide);
        return width <= height ? (few, many) : (many, few);
    }
}
