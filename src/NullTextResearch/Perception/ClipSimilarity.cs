using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>
/// Similarity of pictures and texts in the embedding space of CLIP (Radford et al. 2021). Pictures are prepared as in the original: the shorter side is resized
/// to the model's size (bicubic), the centre is cropped, and bytes are scaled to [0, 1] and normalised with CLIP's mean and standard deviation.
/// </summary>
/// <remarks>
/// Values of different models are not comparable. PIE-Bench uses OpenAI's ViT-L/14; for the edited region, the picture is black outside the mask. Several
/// threads may use one instance concurrently.
/// </remarks>
public sealed class ClipSimilarity : IDisposable
{
    private static readonly double[] Mean = [0.48145466, 0.4578275, 0.40821073];
    private static readonly double[] Deviation = [0.26862954, 0.26130258, 0.27577711];

    private const string Expected =
        "a folder with transformers' CLIPModel as published (openai/clip-vit-large-patch14 and the like): config.json with text_config and "
        + "vision_config, model.safetensors, vocab.json and merges.txt";

    private readonly ITextTokenizer? _tokenizer;

    /// <summary>Creates the measure from a network with loaded weights.</summary>
    /// <param name="model">The network; this object takes ownership.</param>
    /// <param name="tokenizer">Converts texts to token ids; without one, only pictures can be compared.</param>
    public ClipSimilarity(ClipModel model, ITextTokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        Model = model;
        _tokenizer = tokenizer;
    }

    /// <summary>The network.</summary>
    public ClipModel Model { get; }

    /// <summary>Loads published weights.</summary>
    /// <param name="folder">
    /// A folder with <c>config.json</c>, <c>model.safetensors</c>, <c>vocab.json</c> and <c>merges.txt</c> of transformers' CLIPModel.
    /// </param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <param name="dtype">Precision of the arithmetic.</param>
    /// <exception cref="ModelFormatException">A file is missing, damaged or a pickle.</exception>
    /// <exception cref="CheckpointMismatchException">The files hold the weights of another network.</exception>
    public static ClipSimilarity Load(string folder, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        if (!PublishedWeights.IsFolder(folder, Expected))
            throw new ModelFormatException($"{folder} is a file. Expected: {Expected}.");
        string file = PublishedWeights.Find(folder, "model", "the weights of CLIP");
        ClipModel model = new(ClipConfig.Read(ConfigReader.FromFile(Path.Combine(folder, "config.json"))));
        try
        {
            PublishedWeights.Load(
                model.Weights,
                [file],
                device,
                dtype,
                key => [new KeySource(key)],
                CheckpointKeys.IsIgnored,
                $"Expected: {Expected}. A text encoder alone (of Stable Diffusion) has no vision_model."
            );
            return new ClipSimilarity(model, ClipTokenizer.Load(folder));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>How well a picture matches a text (CLIPScore, Hessel et al. 2021, on the scale of torchmetrics): 100 times the cosine, clipped at 0.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="text">The text; it is truncated to the model's context length.</param>
    /// <returns>0 to 100, higher is better; typically between 15 and 35 for OpenAI's models.</returns>
    /// <exception cref="InvalidOperationException">There is no tokenizer.</exception>
    public double OfText(RgbImage image, string text)
    {
        using DisposeScope scope = NewDisposeScope();
        return Math.Max(0, 100 * Number(Cosine(Normalised(Features(image)), Normalised(Features(text)))));
    }

    /// <summary>How similar two pictures are: the cosine of their features.</summary>
    /// <param name="image">One picture.</param>
    /// <param name="reference">Another, of any size.</param>
    /// <returns>-1 to 1, higher is closer; 1 for equal pictures.</returns>
    public double OfImages(RgbImage image, RgbImage reference)
    {
        using DisposeScope scope = NewDisposeScope();
        return Number(Cosine(Normalised(Features(image)), Normalised(Features(reference))));
    }

    /// <summary>
    /// Directional similarity of an edit (StyleGAN-NADA, Gal et al. 2021): the cosine between the change of the pictures and the change of the texts.
    /// </summary>
    /// <param name="source">The picture before.</param>
    /// <param name="edited">The picture after.</param>
    /// <param name="sourceText">Text that describes the picture before.</param>
    /// <param name="targetText">Text that describes the picture after.</param>
    /// <returns>-1 to 1, higher is better; 0 if the pictures or the texts are equal.</returns>
    /// <exception cref="InvalidOperationException">There is no tokenizer.</exception>
    public double OfDirection(RgbImage source, RgbImage edited, string sourceText, string targetText)
    {
        using DisposeScope scope = NewDisposeScope();
        return Number(
            Direction(Normalised(Features(source)), Normalised(Features(edited)), Normalised(Features(sourceText)), Normalised(Features(targetText)))
        );
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>Pixels normalised with the model's mean and deviation, at the picture's own size; in the current dispose scope.</summary>
    internal static Tensor Pixels(RgbImage image, Device device, ScalarType dtype) => PixelScale.Normalised(image, Mean, Deviation, 1, device, dtype);

    /// <summary>Pixels in -1..1, of the model's size, normalised with its mean and deviation; owned by the caller's dispose scope.</summary>
    /// <param name="pixels">[B, 3, size, size]; borrowed.</param>
    internal static Tensor Normalise(Tensor pixels) =>
        Lifetime.Scoped(() =>
        {
            Tensor Channels(double[] values) => tensor(values).to(pixels.dtype, pixels.device).view(1, 3, 1, 1);
            return pixels.Plus(1).Over(2).sub(Channels(Mean)).div(Channels(Deviation));
        });

    /// <summary>Features scaled to length 1, [B, n].</summary>
    internal static Tensor Normalised(Tensor features) => Lifetime.Scoped(() => features.div(Length(features)));

    /// <summary>Cosine of rows of length 1, [B].</summary>
    internal static Tensor Cosine(Tensor a, Tensor b) => Lifetime.Scoped(() => a.mul(b).sum([-1]));

    /// <summary>Cosine of two changes of normalised features, [B].</summary>
    internal static Tensor Direction(Tensor source, Tensor edited, Tensor sourceText, Tensor targetText) =>
        Lifetime.Scoped(() =>
        {
            Tensor seen = edited.sub(source),
                said = targetText.sub(sourceText);
            // A zero change has no direction; the bound is far below the length of any real change.
            return Cosine(seen.div(Length(seen).AtLeast(1e-8)), said.div(Length(said).AtLeast(1e-8)));
        });

    private static Tensor Length(Tensor features) => Lifetime.Scoped(() => features.Squared().sum([-1], keepdim: true).sqrt());

    // Rounding can take a cosine past 1.
    private static double Number(Tensor cosine) => Math.Clamp(cosine.to(ScalarType.Float64).item<double>(), -1, 1);

    private Tensor Features(RgbImage image) =>
        Lifetime.WithoutGradient(() => Model.ImageFeatures(Pixels(Prepared(image), Model.Device, Model.Dtype)).to(Precision.Wide(Model.Dtype)));

    private Tensor Features(string text)
    {
        ITextTokenizer tokenizer =
            _tokenizer ?? throw new InvalidOperationException("This ClipSimilarity has no tokenizer: pass one to the constructor, or load a folder with one.");
        return Lifetime.WithoutGradient(() =>
            Model.TextFeatures(TokenizedPrompt.Stack([tokenizer.Tokenize(text)], Model.Device)).to(Precision.Wide(Model.Dtype))
        );
    }

    private RgbImage Prepared(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        int size = Model.Config.Vision.ImageSize;
        int width = image.Width <= image.Height ? size : (int)((long)size * image.Width / image.Height),
            height = image.Height <= image.Width ? size : (int)((long)size * image.Height / image.Width);
        RgbImage resized = ImageResize.Resize(image, width, height, ResizeFilter.Bicubic);
        int left = (width - size) / 2,
            top = (height - size) / 2;
        // No further resize: the crop already has the target size.
        return new ImagePreparation
        {
            Left = left,
            Top = top,
            Right = width - size - left,
            Bottom = height - size - top,
            Size = null,
            CentreCut = false,
        }.Apply(resized);
    }
}
