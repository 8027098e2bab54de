using NullTextResearch.Images;
using NullTextResearch.Perception;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Perception;

[LeavesNoTensors]
public sealed class ClipSimilarityTests : IDisposable
{
    private const string Config = """
        {
          "projection_dim": 12,
          "text_config": { "vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2 },
          "vision_config": {
            "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 16, "patch_size": 8
          }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-clip-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void EqualImages_AreOne_AnImageOfAnotherSizeIsLess()
    {
        using ClipSimilarity clip = Fresh();
        RgbImage a = PerceptionSamples.Noise(20, 31, 1),
            b = PerceptionSamples.Noise(45, 16, 2);
        Assert.Equal(1, clip.OfImages(a, a), 1e-5);
        Assert.InRange(clip.OfImages(a, b), -1, 0.999);
        Assert.Equal(clip.OfImages(a, b), clip.OfImages(b, a), 1e-6);
    }

    [Fact]
    public void Texts_ScoreFromZeroTo100_AndNoChangeHasNoDirection()
    {
        using ClipSimilarity clip = Fresh();
        RgbImage a = PerceptionSamples.Noise(16, 16, 1),
            b = PerceptionSamples.Noise(16, 16, 2);
        Assert.InRange(clip.OfText(a, "a cat"), 0, 100);
        double there = clip.OfDirection(a, b, "a cat", "a dog");
        Assert.InRange(there, -1, 1);
        Assert.Equal(there, clip.OfDirection(b, a, "a dog", "a cat"), 1e-5);
        Assert.Equal(-there, clip.OfDirection(b, a, "a cat", "a dog"), 1e-5);
        Assert.Equal(0, clip.OfDirection(a, a, "a cat", "a dog"));
        Assert.Equal(0, clip.OfDirection(a, b, "a cat", "a cat"));
    }

    [Fact]
    public void Measures_LeaveNoTensorBehind()
    {
        using ClipSimilarity clip = Fresh();
        RgbImage a = PerceptionSamples.Noise(20, 16, 1);
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => clip.OfText(a, "a cat")));
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => clip.OfImages(a, a)));
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => clip.OfDirection(a, a, "a cat", "a dog")));
    }

    [Fact]
    public void TextsWithoutTokenizer_AreRefused()
    {
        using ClipSimilarity clip = new(Model());
        Assert.Contains("tokenizer", Assert.Throws<InvalidOperationException>(() => clip.OfText(PerceptionSamples.Noise(16, 16, 1), "a")).Message);
    }

    [Fact]
    public void Load_MissingWeight_SaysWhatWasExpected()
    {
        using ClipModel model = Model();
        PerceptionSamples.Write(model.Weights, Path.Combine(_folder, "model.safetensors"), key => key == "visual_projection.weight" ? null : key);
        File.WriteAllText(Path.Combine(_folder, "config.json"), Config);
        CheckpointMismatchException mismatch = Assert.Throws<CheckpointMismatchException>(() => ClipSimilarity.Load(_folder).Dispose());
        Assert.Equal(["visual_projection.weight"], mismatch.Missing);
        Assert.Contains("CLIPModel", mismatch.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(_folder, "model.safetensors"));
        Assert.Contains("model.safetensors", Assert.Throws<ModelFormatException>(() => ClipSimilarity.Load(_folder).Dispose()).Message);
        Assert.Contains("CLIPModel", Assert.Throws<ModelFormatException>(() => ClipSimilarity.Load(Path.Combine(_folder, "config.json")).Dispose()).Message);
    }

    private static ClipModel Model()
    {
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(Config);
        ClipModel model = new(ClipConfig.Read(new ConfigReader(json.RootElement, "config.json")));
        model.Weights.Initialise(3, CPU, ScalarType.Float32);
        return model;
    }

    internal static ClipSimilarity Fresh()
    {
        string[] words = ["a", "cat", "dog"];
        return new ClipSimilarity(
            Model(),
            new WordTableTokenizer(
                words.ToDictionary(w => w, w => (IReadOnlyList<string>)[w]),
                words.Select((w, i) => (w, i)).ToDictionary(w => w.w, w => w.i + 1),
                startToken: 38,
                endToken: 39,
                padToken: 39,
                contextLength: 8
            )
        );
    }
}
