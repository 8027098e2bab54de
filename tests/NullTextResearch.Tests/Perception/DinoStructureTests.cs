using NullTextResearch.Images;
using NullTextResearch.Perception;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Perception;

[LeavesNoTensors]
public sealed class DinoStructureTests : IDisposable
{
    private static readonly DinoConfig Tiny = new()
    {
        ImageSize = 224,
        PatchSize = 32,
        Width = 16,
        Depth = 2,
        Heads = 2,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-dino-").FullName;

    public static TheoryData<StructureMode> Modes => [.. Enum.GetValues<StructureMode>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Modes))]
    public void EqualImages_AreZero_OthersNot_WhicheverComesFirst(StructureMode mode)
    {
        using DinoStructure dino = new(Model());
        RgbImage a = PerceptionSamples.Noise(300, 260, 1),
            b = PerceptionSamples.Noise(300, 260, 2);
        Assert.Equal(0, dino.Of(a, a, mode));
        double distance = dino.Of(a, b, mode);
        Assert.InRange(distance, 1e-9, 4);
        Assert.Equal(distance, dino.Of(b, a, mode), 1e-6);
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => dino.Of(a, b, mode)));
        Assert.Throws<ArgumentException>(() => dino.Of(a, PerceptionSamples.Noise(260, 300, 1), mode));
    }

    /// <summary>Very long pictures are bounded by their longer side.</summary>
    [Fact]
    public void LongImages_Work()
    {
        using DinoStructure dino = new(Model());
        RgbImage a = PerceptionSamples.Noise(900, 200, 1);
        Assert.Equal(0, dino.Of(a, a, StructureMode.Corrected));
    }

    [Fact]
    public void Load_FolderOrFile_MissingWeightSaysWhatWasExpected()
    {
        using DinoModel model = Model();
        string path = Path.Combine(_folder, "dino_vitbase8_pretrain.safetensors");
        PerceptionSamples.Write(model.Weights, path, key => key);
        RgbImage a = PerceptionSamples.Noise(64, 64, 1),
            b = PerceptionSamples.Noise(64, 64, 2);
        using (
            DinoStructure file = DinoStructure.Load(path, Tiny),
                folder = DinoStructure.Load(_folder, Tiny)
        )
            Assert.Equal(file.Of(a, b, StructureMode.Corrected), folder.Of(a, b, StructureMode.Corrected));
        Assert.Contains("width 768", Assert.Throws<CheckpointMismatchException>(() => DinoStructure.Load(path).Dispose()).Message);
        PerceptionSamples.Write(model.Weights, path, key => key == "pos_embed" ? null : key);
        Assert.Equal(["pos_embed"], Assert.Throws<CheckpointMismatchException>(() => DinoStructure.Load(path, Tiny).Dispose()).Missing);
        File.Delete(path);
        Assert.Contains("dino*.safetensors", Assert.Throws<ModelFormatException>(() => DinoStructure.Load(_folder, Tiny).Dispose()).Message);
    }

    internal static DinoModel Model()
    {
        DinoModel model = new(Tiny);
        model.Weights.Initialise(5, CPU, ScalarType.Float32);
        return model;
    }
}
