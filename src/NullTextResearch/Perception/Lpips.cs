using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>
/// Learned perceptual distance, LPIPS 0.1 (Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric"): 0 for equal
/// images, lower is closer, seldom above 1. Bytes are scaled to [-1, 1]; images are compared at their own size.
/// </summary>
/// <remarks>
/// Values of different backbones are not comparable. PIE-Bench uses <see cref="LpipsBackbone.Squeeze"/> on pictures that are black outside the mask. Several
/// threads may use one instance concurrently.
/// </remarks>
public sealed class Lpips : IDisposable
{
    /// <summary>Creates the measure from a network with loaded weights.</summary>
    /// <param name="model">The network; this object takes ownership.</param>
    public Lpips(LpipsModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
    }

    /// <summary>The network.</summary>
    public LpipsModel Model { get; }

    /// <summary>Loads the published weights.</summary>
    /// <param name="path">
    /// A folder with torchvision's network and the authors' linear layers, each as .safetensors under its published name
    /// (<c>alexnet-owt-7be5be79</c> and <c>alex</c>, <c>vgg16-397923af</c> and <c>vgg</c>, <c>squeezenet1_1-b8a52dc0</c> and <c>squeeze</c>; any suffix of the
    /// network's name is accepted); or one .safetensors file with the state of the authors' whole module.
    /// </param>
    /// <param name="backbone">Which network.</param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <param name="dtype">Precision of the arithmetic.</param>
    /// <exception cref="ModelFormatException">A file is missing, damaged or a pickle.</exception>
    /// <exception cref="CheckpointMismatchException">The files hold the weights of another network.</exception>
    public static Lpips Load(string path, LpipsBackbone backbone = LpipsBackbone.Alex, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        (string network, string heads) = Names(backbone);
        string expected =
            $"a folder with {network}*.safetensors (torchvision's {network}, features.0.weight and so on) and {heads}.safetensors (the linear layers of "
            + "LPIPS 0.1, lin0.model.1.weight and so on), or one .safetensors file with the whole module (net.slice1.0.weight, lin0.model.1.weight)";
        string[] files = PublishedWeights.IsFolder(path, expected)
            ?
            [
                PublishedWeights.Find(path, network + "*", $"torchvision's {network}"),
                PublishedWeights.Find(path, heads, $"the linear layers of LPIPS 0.1 for {network}"),
            ]
            : [path];
        LpipsModel model = new(backbone);
        try
        {
            PublishedWeights.Load(
                model.Weights,
                files,
                device,
                dtype,
                SourcesOf,
                IsIgnored,
                $"Expected: {expected}. Check that the files belong to the backbone {backbone}."
            );
            return new Lpips(model);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Whether a folder has a file that belongs to a backbone.</summary>
    internal static bool IsIn(string folder, LpipsBackbone backbone)
    {
        (string network, string heads) = Names(backbone);
        return Directory
            .GetFiles(folder)
            .Select(f => Path.GetFileName(f))
            .Any(f => f.StartsWith(network, StringComparison.Ordinal) || Path.GetFileNameWithoutExtension(f) == heads);
    }

    /// <summary>Measures the distance of two images.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least <see cref="LpipsModel.LeastSide"/> wide and high.</param>
    /// <returns>0 (equal) and up; the order of the two does not matter.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are too small.</exception>
    public double Of(RgbImage image, RgbImage reference)
    {
        using DisposeScope scope = NewDisposeScope();
        return With(image, reference, Model.PerLayer).to(ScalarType.Float64).sum().item<double>();
    }

    /// <summary>Shows where two images differ: a distance at every pixel.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least <see cref="LpipsModel.LeastSide"/> wide and high.</param>
    /// <returns>Width x height values of at least 0, row by row. Their mean is close to <see cref="Of"/>, but not equal.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are too small.</exception>
    public double[] MapOf(RgbImage image, RgbImage reference)
    {
        using DisposeScope scope = NewDisposeScope();
        return With(image, reference, Model.Spatial).to(CPU).to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => Model.Dispose();

    private Tensor With(RgbImage image, RgbImage reference, Func<Tensor, Tensor, Tensor> measure) =>
        Lifetime.WithoutGradient(() =>
        {
            (Device device, ScalarType dtype) = (Model.Device, Model.Dtype);
            Tensor both = ImageTensor.ToPixels([image, reference], device, dtype);
            return measure(both.narrow(0, 0, 1), both.narrow(0, 1, 1));
        });

    // net.slice3.6.weight is features.6.weight in torchvision's own file.
    private static IReadOnlyList<KeySource> SourcesOf(string key)
    {
        string[] parts = key.Split('.', 3);
        return parts[0] == "net" ? [new KeySource(key), new KeySource($"features.{parts[2]}")] : [new KeySource(key)];
    }

    // The classifier is not used. The whole module also stores its constants, and a second copy of the linear layers.
    private static bool IsIgnored(string key) =>
        Array.Exists(["classifier.", "scaling_layer.", "lins."], start => key.StartsWith(start, StringComparison.Ordinal));

    private static (string Network, string Heads) Names(LpipsBackbone backbone) =>
        backbone switch
        {
            LpipsBackbone.Alex => ("alexnet", "alex"),
            LpipsBackbone.Vgg => ("vgg16", "vgg"),
            LpipsBackbone.Squeeze => ("squeezenet1_1", "squeeze"),
            _ => throw new ArgumentOutOfRangeException(nameof(backbone), backbone, "not a backbone"),
        };
}
