using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Architecture of CLIP's vision transformer, as in the part <c>vision_config</c> of transformers' <c>config.json</c>.</summary>
public sealed record ClipVisionConfig
{
    // Far more than any published model has: a damaged number is refused before a network of that size is declared.
    private const int MostWidth = 1 << 16;
    private const int MostLayers = 256;

    /// <summary>Width of the embedding.</summary>
    public int HiddenSize { get; init; } = 1024;

    /// <summary>Width of the feed-forward layers.</summary>
    public int IntermediateSize { get; init; } = 4096;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 24;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 16;

    /// <summary>Width and height of the pictures in pixels.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Width and height of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>x sigmoid(1.702 x) where true (OpenAI's models), the exact Gaussian error unit where false.</summary>
    public bool QuickGelu { get; init; } = true;

    /// <summary>Epsilon of the normalisations.</summary>
    public double LayerNormEps { get; init; } = 1e-5;

    /// <summary>Patches of a picture.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Reads the part of a config; what is left out has the value that transformers gives it.</summary>
    /// <exception cref="ModelFormatException">A field is wrong, or asks for something not implemented.</exception>
    public static ClipVisionConfig Read(ConfigReader json)
    {
        ArgumentNullException.ThrowIfNull(json);
        string activation = json.Text("hidden_act", "quick_gelu");
        if (activation is not ("quick_gelu" or "gelu"))
            throw json.Unsupported("hidden_act", activation, "quick_gelu and gelu");
        json.RequireEqual("num_channels", json.Int("num_channels", 3), 3);
        ClipVisionConfig config = new()
        {
            HiddenSize = json.Int("hidden_size", 768, 1, MostWidth),
            IntermediateSize = json.Int("intermediate_size", 3072, 1, MostWidth),
            Layers = json.Int("num_hidden_layers", 12, 1, MostLayers),
            Heads = json.Int("num_attention_heads", 12, 1, MostWidth),
            ImageSize = json.Int("image_size", 224, 1, MostWidth),
            PatchSize = json.Int("patch_size", 32, 1, MostWidth),
            QuickGelu = activation == "quick_gelu",
            LayerNormEps = json.Number("layer_norm_eps", 1e-5, 0, 1),
        };
        if (config.HiddenSize % config.Heads != 0)
            throw new ModelFormatException(
                $"{json.Source}: a hidden_size of {config.HiddenSize} cannot be split into the {config.Heads} heads of num_attention_heads."
            );
        if (config.Patches == 0)
            throw new ModelFormatException($"{json.Source}: no patch of {config.PatchSize} pixels fits a picture of {config.ImageSize}.");
        return config;
    }
}

/// <summary>Architecture of a <see cref="ClipModel"/>; by default OpenAI's ViT-L/14.</summary>
public sealed record ClipConfig
{
    /// <summary>The text transformer.</summary>
    public ClipTextConfig Text { get; init; } = ClipTextConfig.StableDiffusion1;

    /// <summary>The vision transformer.</summary>
    public ClipVisionConfig Vision { get; init; } = new();

    /// <summary>Width of the space that texts and pictures share.</summary>
    public int ProjectionSize { get; init; } = 768;

    /// <summary>Reads the <c>config.json</c> of transformers' CLIPModel.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for something not implemented.</exception>
    public static ClipConfig Read(ConfigReader json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new ClipConfig
        {
            Text = ClipTextConfig.Read(json.Part("text_config")),
            Vision = ClipVisionConfig.Read(json.Part("vision_config")),
            ProjectionSize = json.Int("projection_dim", 512, 1, 1 << 16),
        };
    }
}

/// <summary>CLIP (Radford et al. 2021), module for module and key for key transformers' CLIPModel.</summary>
/// <remarks>Several threads may use one at a time. After <see cref="Dispose"/> every use is an <see cref="ObjectDisposedException"/>.</remarks>
public sealed class ClipModel : IDisposable
{
    private readonly ClipTextModel _text;
    private readonly Weight _class;
    private readonly Conv2d _patches;
    private readonly Embedding _positions;
    private readonly LayerNorm _before;
    private readonly List<ClipLayer> _layers = [];
    private readonly LayerNorm _after;
    private readonly Linear _textProjection;
    private readonly Linear _visualProjection;
    private readonly Weight _logitScale;

    /// <summary>Declares the network; nothing is allocated until weights are loaded.</summary>
    /// <param name="config">Architecture.</param>
    public ClipModel(ClipConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        Weights = new WeightSet(nameof(ClipModel));
        _text = new ClipTextModel(config.Text, Weights);
        ClipVisionConfig vision = config.Vision;
        WeightPath root = Weights.Root["vision_model"],
            embeddings = root["embeddings"];
        _class = embeddings.Declare("class_embedding", [vision.HiddenSize], WeightInit.Normal002);
        _patches = new Conv2d(embeddings["patch_embedding"], 3, vision.HiddenSize, vision.PatchSize, vision.PatchSize, padding: 0, bias: false);
        _positions = new Embedding(embeddings["position_embedding"], vision.Patches + 1, vision.HiddenSize);
        // The missing letters are the original's.
        _before = new LayerNorm(root["pre_layrnorm"], vision.HiddenSize, vision.LayerNormEps);
        for (int i = 0; i < vision.Layers; i++)
        {
            WeightPath at = root["encoder"]["layers"][i];
            _layers.Add(new ClipLayer(at, vision.HiddenSize, vision.IntermediateSize, vision.Heads, vision.QuickGelu, vision.LayerNormEps, isCausal: false));
        }
        _after = new LayerNorm(root["post_layernorm"], vision.HiddenSize, vision.LayerNormEps);
        _textProjection = new Linear(Weights.Root["text_projection"], config.Text.HiddenSize, config.ProjectionSize, bias: false);
        _visualProjection = new Linear(Weights.Root["visual_projection"], vision.HiddenSize, config.ProjectionSize, bias: false);
        _logitScale = Weights.Root.Declare("logit_scale", [], WeightInit.Ones);
    }

    /// <summary>Architecture.</summary>
    public ClipConfig Config { get; }

    /// <summary>All weights, by their transformers keys.</summary>
    public WeightSet Weights { get; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>What similarities are multiplied by to be logits.</summary>
    public double LogitScale
    {
        get
        {
            using UseGate.Lease use = Weights.Use();
            using DisposeScope scope = NewDisposeScope();
            return Math.Exp(_logitScale.Value.detach().to(CPU).to(ScalarType.Float64).item<double>());
        }
    }

    /// <summary>One vector for each text: the last hidden state at the end of the text.</summary>
    /// <param name="ids">Integer [B, tokens]; the text ends at the first of its largest ids; borrowed.</param>
    /// <returns>[B, width]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The ids are not a matrix.</exception>
    public Tensor PooledText(Tensor ids)
    {
        Shape.Require(ids, [-1, -1]);
        return Lifetime.Scoped(() =>
        {
            Tensor hidden = _text.Forward(ids);
            long tokens = ids.shape[1];
            long[] all = ids.to(CPU).to(ScalarType.Int64).contiguous().data<long>().ToArray();
            // Rows of the flattened batch. By hand: among equals the first counts.
            long[] ends =
            [
                .. Enumerable
                    .Range(0, (int)ids.shape[0])
                    .Select(row => all.AsSpan((int)(row * tokens), (int)tokens).ToArray())
                    .Select((text, row) => (row * tokens) + Array.IndexOf(text, text.Max())),
            ];
            return hidden.flatten(0, 1).index_select(0, tensor(ends).to(hidden.device));
        });
    }

    /// <summary>Texts in the shared space, of any length.</summary>
    /// <param name="ids">Integer [B, tokens]; borrowed.</param>
    /// <returns>[B, projection]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The ids are not a matrix.</exception>
    public Tensor TextFeatures(Tensor ids)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _textProjection.Forward(PooledText(ids)));
    }

    /// <summary>The last hidden state of pictures: one vector for the picture, then one for each patch.</summary>
    /// <param name="pixels">[B, 3, size, size] as <see cref="ClipSimilarity"/> prepares them; borrowed.</param>
    /// <returns>[B, 1 + patches, width], not normalised; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public Tensor VisionHidden(Tensor pixels)
    {
        Shape.Require(pixels, [-1, 3, Config.Vision.ImageSize, Config.Vision.ImageSize]);
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() =>
        {
            long b = pixels.shape[0];
            Tensor patches = _patches.Forward(pixels).flatten(2).transpose(1, 2);
            Tensor first = _class.Value.to(patches.dtype).view(1, 1, -1).expand(b, 1, -1);
            Tensor positions = ScalarArithmetic.Range(Config.Vision.Patches + 1, ScalarType.Int64, pixels.device).unsqueeze(0);
            Tensor x = _before.Forward(cat([first, patches], 1).Plus(_positions.Forward(positions)));
            foreach (ClipLayer layer in _layers)
                x = x.Then(t => Lifetime.Scoped(() => layer.Forward(t)));
            return x;
        });
    }

    /// <summary>One vector for each picture.</summary>
    /// <param name="hidden">What <see cref="VisionHidden"/> gives; borrowed.</param>
    /// <returns>[B, width]; owned by the caller's dispose scope.</returns>
    public Tensor PooledVision(Tensor hidden)
    {
        Shape.Require(hidden, [-1, -1, Config.Vision.HiddenSize]);
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _after.Forward(hidden.select(1, 0)));
    }

    /// <summary>Pictures in the shared space, of any length.</summary>
    /// <param name="pixels">[B, 3, size, size] as <see cref="ClipSimilarity"/> prepares them; borrowed.</param>
    /// <returns>[B, projection]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public Tensor ImageFeatures(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _visualProjection.Forward(PooledVision(VisionHidden(pixels))));
    }

    /// <summary>
    /// Frees the weights. Waits for passes through the network that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. A
    /// second time nothing happens.
    /// </summary>
    public void Dispose() => Weights.Dispose();
}
