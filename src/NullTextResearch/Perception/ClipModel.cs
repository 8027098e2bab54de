using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>CLIP (Radford et al. 2021), with the modules and keys of transformers' CLIPModel.</summary>
/// <remarks>Several threads may use one instance concurrently. After <see cref="Dispose"/>, every use throws <see cref="ObjectDisposedException"/>.</remarks>
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
        // The typo is in the original.
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

    /// <summary>Factor that turns similarities into logits.</summary>
    public double LogitScale
    {
        get
        {
            using UseGate.Lease use = Weights.Use();
            using DisposeScope scope = NewDisposeScope();
            return Math.Exp(_logitScale.Value.detach().to(CPU).to(ScalarType.Float64).item<double>());
        }
    }

    /// <summary>Computes one vector per text: the last hidden state at the end-of-text token.</summary>
    /// <param name="ids">Integer [B, tokens]; the text ends at the first occurrence of its largest id; borrowed.</param>
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
            // Row indices into the flattened batch. Computed by hand, because the first of equal ids must be taken.
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

    /// <summary>Embeds texts in the shared space; the vectors are not normalised.</summary>
    /// <param name="ids">Integer [B, tokens]; borrowed.</param>
    /// <returns>[B, projection]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The ids are not a matrix.</exception>
    public Tensor TextFeatures(Tensor ids)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _textProjection.Forward(PooledText(ids)));
    }

    /// <summary>Computes the last hidden state of pictures: one vector for the picture, then one per patch.</summary>
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

    /// <summary>Computes one vector per picture.</summary>
    /// <param name="hidden">The result of <see cref="VisionHidden"/>; borrowed.</param>
    /// <returns>[B, width]; owned by the caller's dispose scope.</returns>
    public Tensor PooledVision(Tensor hidden)
    {
        Shape.Require(hidden, [-1, -1, Config.Vision.HiddenSize]);
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _after.Forward(hidden.select(1, 0)));
    }

    /// <summary>Embeds pictures in the shared space; the vectors are not normalised.</summary>
    /// <param name="pixels">[B, 3, size, size] as <see cref="ClipSimilarity"/> prepares them; borrowed.</param>
    /// <returns>[B, projection]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public Tensor ImageFeatures(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _visualProjection.Forward(PooledVision(VisionHidden(pixels))));
    }

    /// <summary>
    /// Frees the weights. Waits for forward passes running in other threads; later ones throw <see cref="ObjectDisposedException"/>. Further calls do nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();
}
