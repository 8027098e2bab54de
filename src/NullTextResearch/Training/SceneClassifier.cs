using NullTextResearch.Layers;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.UNet;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Training;

/// <summary>What a <see cref="SceneClassifier"/> sees in one picture. Indices follow the enums' order.</summary>
/// <param name="Objects">Probability of each <see cref="SceneObjectKind"/> to be in the picture, 0 to 1, independent of each other.</param>
/// <param name="Backgrounds">Probability of each <see cref="SceneBackground"/>; sums to 1.</param>
/// <param name="Colours">Probability of each <see cref="SceneColour"/> for the coloured object; sums to 1, meaningless where none is coloured.</param>
public sealed record SceneJudgement(IReadOnlyList<float> Objects, IReadOnlyList<float> Backgrounds, IReadOnlyList<float> Colours)
{
    /// <summary>The likeliest object.</summary>
    public SceneObjectKind Object => (SceneObjectKind)IndexOfLargest(Objects);

    /// <summary>The likeliest background.</summary>
    public SceneBackground Background => (SceneBackground)IndexOfLargest(Backgrounds);

    /// <summary>The likeliest colour.</summary>
    public SceneColour Colour => (SceneColour)IndexOfLargest(Colours);

    /// <summary>Whether exactly the scene's objects are the likeliest ones: the first for one object, the first two for two.</summary>
    public bool ObjectsAgree(SceneDescription scene) =>
        scene.Objects.Select(o => (int)o.Kind).ToHashSet().SetEquals(
            Enumerable.Range(0, Objects.Count).OrderByDescending(i => Objects[i]).Take(scene.Objects.Count));

    private static int IndexOfLargest(IReadOnlyList<float> values) => Enumerable.Range(0, values.Count).MaxBy(i => values[i]);
}

/// <summary>A small convolutional network that names what toy scenes show; the judge of samples and edits.</summary>
public sealed class SceneClassifier : IDisposable
{
    private const int Outputs = 12 + 8 + 5;
    private readonly Conv2d _conv1;
    private readonly GroupNorm _norm1;
    private readonly Conv2d _conv2;
    private readonly ResnetBlock _block2;
    private readonly Conv2d _conv3;
    private readonly ResnetBlock _block3;
    private readonly GroupNorm _norm3;
    private readonly Linear _head;

    /// <summary>Declares the network; load or initialise its weights before use.</summary>
    public SceneClassifier()
    {
        Weights = new WeightSet(nameof(SceneClassifier));
        WeightPath root = Weights.Root;
        _conv1 = new Conv2d(root["conv1"], 3, 32, kernel: 5, stride: 2, padding: 2);
        _norm1 = new GroupNorm(root["norm1"], 8, 32, 1e-5);
        _conv2 = new Conv2d(root["conv2"], 32, 64, stride: 2);
        _block2 = new ResnetBlock(root["block2"], 64, 64, 8, 1e-5, null);
        _conv3 = new Conv2d(root["conv3"], 64, 128, stride: 2);
        _block3 = new ResnetBlock(root["block3"], 128, 128, 8, 1e-5, null);
        _norm3 = new GroupNorm(root["norm3"], 8, 128, 1e-5);
        _head = new Linear(root["head"], 256, Outputs);
    }

    /// <summary>Loads the classifier that lies beside a model.</summary>
    /// <param name="folder">Model folder with <c>classifier/model.safetensors</c>.</param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <exception cref="ModelFormatException">There is none, or the file is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">The file holds another network.</exception>
    public static SceneClassifier Load(string folder, Device? device = null)
    {
        using Checkpoint file = Checkpoint.Open(Path.Combine(folder, "classifier", "model.safetensors"));
        SceneClassifier classifier = new();
        StrictLoad.Load(classifier.Weights, file, device ?? CPU, ScalarType.Float32);
        return classifier;
    }

    /// <summary>All weights.</summary>
    public WeightSet Weights { get; }

    /// <summary>Judges pictures.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1], of the size the classifier was trained at (64); borrowed.</param>
    /// <returns>One judgement per picture.</returns>
    /// <exception cref="ShapeMismatchException">Not a batch of colour pictures.</exception>
    public IReadOnlyList<SceneJudgement> Judge(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        (Tensor objects, Tensor backgrounds, Tensor colours) = Forward(pixels);
        float[][] Rows(Tensor t)
        {
            float[] flat = t.to(ScalarType.Float32).cpu().data<float>().ToArray();
            return [.. flat.Chunk((int)t.shape[1])];
        }

        float[][] o = Rows(objects.sigmoid()), b = Rows(backgrounds.softmax(1)), c = Rows(colours.softmax(1));
        return [.. o.Select((row, i) => new SceneJudgement(row, b[i], c[i]))];
    }

    /// <summary>Logits for objects [B, 12], backgrounds [B, 8] and colours [B, 5]; owned by the caller's dispose scope.</summary>
    internal (Tensor Objects, Tensor Backgrounds, Tensor Colours) Forward(Tensor pixels)
    {
        Shape.Require(pixels, [-1, 3, -1, -1]);
        using UseGate.Lease use = Weights.Use();
        Tensor x = F.silu(_norm1.Forward(_conv1.Forward(pixels)));
        x = _block2.Forward(_conv2.Forward(x), null);
        x = F.silu(_norm3.Forward(_block3.Forward(_conv3.Forward(x), null)));
        x = x.flatten(2);
        // The maximum finds a small object anywhere, the mean sees the ground.
        Tensor logits = _head.Forward(cat([x.amax([2]), x.mean([2])], 1));
        return (logits.narrow(1, 0, 12), logits.narrow(1, 12, 8), logits.narrow(1, 20, 5));
    }

    /// <summary>Frees the weights. Waits for passes through the network that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. A second time nothing happens.</summary>
    public void Dispose() => Weights.Dispose();
}
