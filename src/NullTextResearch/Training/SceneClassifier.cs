using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Layers;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Training;

/// <summary>A small convolutional network that recognises the contents of toy scenes; it judges samples and edits.</summary>
public sealed class SceneClassifier : IDisposable
{
    private const string ConfigName = "config.json";
    private static readonly SceneObjectKind[] Coloured = [.. ToyScenes.Kinds.Where(ToyScenes.IsColourable)];
    private readonly Conv2d _conv1;
    private readonly GroupNorm _norm1;
    private readonly Conv2d _conv2;
    private readonly ResnetBlock _block2;
    private readonly Conv2d _conv3;
    private readonly ResnetBlock _block3;
    private readonly ResnetBlock? _block4;
    private readonly GroupNorm _norm3;
    private readonly Linear _head;

    /// <summary>Declares the network; load or initialise its weights before use.</summary>
    /// <param name="domain">The domain that it classifies; null for the newest domain.</param>
    public SceneClassifier(SceneDomain? domain = null)
    {
        Domain = domain ?? SceneDomain.Second;
        Weights = new WeightSet(nameof(SceneClassifier));
        WeightPath root = Weights.Root;
        _conv1 = new Conv2d(root["conv1"], 3, 32, kernel: 5, stride: 2, padding: 2);
        _norm1 = new GroupNorm(root["norm1"], 8, 32, 1e-5);
        _conv2 = new Conv2d(root["conv2"], 32, 64, stride: 2);
        _block2 = new ResnetBlock(root["block2"], 64, 64, 8, 1e-5, null);
        _conv3 = new Conv2d(root["conv3"], 64, 128, stride: 2);
        _block3 = new ResnetBlock(root["block3"], 128, 128, 8, 1e-5, null);
        _norm3 = new GroupNorm(root["norm3"], 8, 128, 1e-5);
        bool first = Domain.Version == 1;
        if (!first)
            _block4 = new ResnetBlock(root["block4"], 128, 128, 8, 1e-5, null);
        // Locating objects needs separate features for the two halves of the picture.
        _head = new Linear(root["head"], first ? 256 : 5 * 128, Widths().Sum());
    }

    /// <summary>Loads the classifier stored with a model.</summary>
    /// <param name="folder">Model folder with <c>classifier/model.safetensors</c>.</param>
    /// <param name="device">Where it runs; null means the CPU.</param>
    /// <exception cref="ModelFormatException">There is no classifier, or the file is damaged.</exception>
    /// <exception cref="CheckpointMismatchException">The file holds another network.</exception>
    public static SceneClassifier Load(string folder, Device? device = null)
    {
        using Checkpoint file = Checkpoint.Open(Path.Combine(folder, "classifier", "model.safetensors"));
        SceneClassifier classifier = new(DomainOf(folder));
        StrictLoad.Load(classifier.Weights, file, device ?? CPU, ScalarType.Float32);
        return classifier;
    }

    /// <summary>The domain of the model in a folder, from <c>classifier/config.json</c>; the first domain if that file is missing.</summary>
    /// <param name="folder">Model folder.</param>
    /// <exception cref="ModelFormatException">The file is damaged, or names a domain unknown to this version.</exception>
    public static SceneDomain DomainOf(string folder)
    {
        string path = Path.Combine(folder, "classifier", ConfigName);
        if (!File.Exists(path))
            return SceneDomain.First;
        try
        {
            int version = JsonNode.Parse(RegularFile.ReadAll(path, 1 << 16))?["domain"]?.GetValue<int>() ?? 0;
            return SceneDomain.Find(version) ?? throw new ModelFormatException($"{path} names the domain {version}; this version knows 1 and 2.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new ModelFormatException($"{path} does not name a domain of toy scenes: {e.Message}", e);
        }
    }

    /// <summary>The content of <c>classifier/config.json</c>.</summary>
    internal JsonObject Config => new() { ["domain"] = Domain.Version };

    /// <summary>The domain that it was trained on.</summary>
    public SceneDomain Domain { get; }

    /// <summary>All weights.</summary>
    public WeightSet Weights { get; }

    /// <summary>Classifies pictures.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1], at the size that the classifier was trained on (64); borrowed.</param>
    /// <returns>One judgement per picture.</returns>
    /// <exception cref="ShapeMismatchException">The tensor is not a batch of colour pictures.</exception>
    public IReadOnlyList<SceneJudgement> Judge(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        SceneLogits logits = Forward(pixels);
        float[][] Rows(Tensor t)
        {
            float[] flat = t.to(ScalarType.Float32).cpu().data<float>().ToArray();
            return [.. flat.Chunk((int)t.shape[1])];
        }

        float[][] o = Rows(logits.Objects.sigmoid()),
            b = Rows(logits.Backgrounds.softmax(1));
        float[][][] c = [.. logits.Colours.Select(l => Rows(l.softmax(1)))];
        if (Domain.Version == 1)
            return [.. o.Select((row, i) => new SceneJudgement(row, b[i], c[0][i]))];
        float[][] left = Rows(logits.Left!.sigmoid()),
            night = Rows(logits.Night!.softmax(1)),
            weather = Rows(logits.Weather!.softmax(1)),
            style = Rows(logits.Style!.softmax(1));
        return
        [
            .. o.Select(
                (row, i) =>
                {
                    int likeliest = Enumerable.Range(0, Coloured.Length).MaxBy(k => row[(int)Coloured[k]]);
                    return new SceneJudgement(row, b[i], c[likeliest][i])
                    {
                        ColoursOf = Coloured.Index().ToDictionary(k => k.Item, k => (IReadOnlyList<float>)c[k.Index][i]),
                        Left = left[i],
                        Nights = night[i],
                        Weathers = weather[i],
                        Styles = style[i],
                    };
                }
            ),
        ];
    }

    /// <summary>Computes the logits; owned by the caller's dispose scope.</summary>
    internal SceneLogits Forward(Tensor pixels)
    {
        Shape.Require(pixels, [-1, 3, -1, -1]);
        using UseGate.Lease use = Weights.Use();
        Tensor x = F.silu(_norm1.Forward(_conv1.Forward(pixels)));
        x = _block2.Forward(_conv2.Forward(x), null);
        x = _block3.Forward(_conv3.Forward(x), null);
        if (_block4 is not null)
            x = _block4.Forward(x, null);
        x = F.silu(_norm3.Forward(x));
        // The maximum detects a small object anywhere; the mean captures the background.
        List<Tensor> seen = [x.amax([2, 3]), x.mean([2, 3])];
        if (Domain.Version > 1)
        {
            long half = x.shape[3] / 2;
            Tensor left = x.narrow(3, 0, half),
                right = x.narrow(3, x.shape[3] - half, half);
            seen.AddRange([left.amax([2, 3]), right.amax([2, 3]), left.mean([2, 3])]);
        }

        Tensor[] parts = _head.Forward(cat(seen, 1)).split([.. Widths()], 1);
        int colours = Domain.Version == 1 ? 1 : Coloured.Length;
        return Domain.Version == 1
            ? new SceneLogits(parts[0], parts[1], [parts[2]], null, null, null, null)
            : new SceneLogits(parts[0], parts[1], parts[2..(2 + colours)], parts[2 + colours], parts[3 + colours], parts[4 + colours], parts[5 + colours]);
    }

    /// <summary>Number of logits of each output, in the order of <see cref="SceneLogits"/>.</summary>
    private IEnumerable<long> Widths()
    {
        long[] shared = [ToyScenes.Kinds.Count, ToyScenes.Backgrounds.Count];
        return Domain.Version == 1
            ? [.. shared, ToyScenes.Colours.Count]
            :
            [
                .. shared,
                .. Coloured.Select(_ => (long)ToyScenes.Colours.Count),
                ToyScenes.Kinds.Count,
                2,
                Enum.GetValues<SceneWeather>().Length,
                Enum.GetValues<SceneStyle>().Length,
            ];
    }

    /// <summary>
    /// Frees the weights. Waits for forward passes running in other threads; later ones throw <see cref="ObjectDisposedException"/>. Further calls do nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();
}

/// <summary>The output of a <see cref="SceneClassifier"/> for a batch of B pictures; the last four are null in the first domain.</summary>
/// <param name="Objects">[B, 12].</param>
/// <param name="Backgrounds">[B, 8].</param>
/// <param name="Colours">[B, 5]: one for each colourable kind, or one for the coloured object in the first domain.</param>
/// <param name="Left">[B, 12].</param>
/// <param name="Night">[B, 2].</param>
/// <param name="Weather">[B, 3].</param>
/// <param name="Style">[B, 2].</param>
internal sealed record SceneLogits(
    Tensor Objects,
    Tensor Backgrounds,
    IReadOnlyList<Tensor> Colours,
    Tensor? Left,
    Tensor? Night,
    Tensor? Weather,
    Tensor? Style
);
