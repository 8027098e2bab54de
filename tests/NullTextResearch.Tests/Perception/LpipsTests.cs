using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Perception;

[LeavesNoTensors]
public sealed class LpipsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-lpips-").FullName;

    public static TheoryData<LpipsBackbone> Backbones => [.. Enum.GetValues<LpipsBackbone>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Backbones))]
    public void EqualImages_AreZero_OthersNot_WhicheverComesFirst(LpipsBackbone backbone)
    {
        using Lpips lpips = new(Fresh(backbone));
        RgbImage a = PerceptionSamples.Noise(40, 33, 1),
            b = PerceptionSamples.Noise(40, 33, 2);
        Assert.Equal(0, lpips.Of(a, a));
        double distance = lpips.Of(a, b);
        Assert.True(distance > 0, $"{distance}");
        Assert.Equal(distance, lpips.Of(b, a), 1e-6);
        double[] map = lpips.MapOf(a, b);
        Assert.Equal(40 * 33, map.Length);
        Assert.All(map, value => Assert.True(value >= 0));
    }

    /// <summary>A side less, and a layer has no pixel left.</summary>
    [Theory]
    [MemberData(nameof(Backbones))]
    public void LeastSide_Works_OneLessIsRefused(LpipsBackbone backbone)
    {
        using Lpips lpips = new(Fresh(backbone));
        int least = lpips.Model.LeastSide;
        RgbImage small = PerceptionSamples.Noise(least, least, 1),
            tiny = PerceptionSamples.Noise(least, least - 1, 1);
        Assert.Equal(0, lpips.Of(small, small));
        Assert.Contains($"{least} x {least}", Assert.Throws<ArgumentException>(() => lpips.Of(tiny, tiny)).Message);
    }

    [Fact]
    public void Masked_CountsTheMaskAlone_InBothModes()
    {
        using Lpips lpips = new(Fresh(LpipsBackbone.Squeeze));
        RgbImage a = PerceptionSamples.Noise(96, 48, 1),
            other = PerceptionSamples.Noise(96, 48, 2);
        // The right half differs.
        RgbImage b = new(96, 48, [.. a.Rgb.Select((value, i) => i / 3 % 96 < 48 ? value : other.Rgb[i])]);
        RegionMask right = new(96, 48, [.. Enumerable.Range(0, 96 * 48).Select(i => i % 96 >= 48)]);
        RegionMask farLeft = new(96, 48, [.. Enumerable.Range(0, 96 * 48).Select(i => i % 96 < 8)]);
        double inside = MaskedLpips.Of(lpips, a, b, right, MaskedMode.Corrected),
            outside = MaskedLpips.Of(lpips, a, b, farLeft, MaskedMode.Corrected);
        Assert.True(outside < 0.1 * inside, $"{outside} outside, {inside} inside");
        Assert.Equal(0, MaskedLpips.Of(lpips, a, b, farLeft, MaskedMode.PieOfficial));
        Assert.Equal(lpips.Of(right.Apply(a), right.Apply(b)), MaskedLpips.Of(lpips, a, b, right, MaskedMode.PieOfficial));
        Assert.Equal(lpips.MapOf(a, b).Average(), MaskedLpips.Of(lpips, a, b, RegionMask.Everything(96, 48), MaskedMode.Corrected), 1e-12);
        Assert.Equal(double.NaN, MaskedLpips.Of(lpips, a, b, RegionMask.Everything(96, 48).Inverse(), MaskedMode.Corrected));
        Assert.Throws<ArgumentException>(() => MaskedLpips.Of(lpips, a, b, RegionMask.Everything(48, 96), MaskedMode.Corrected));
    }

    [Fact]
    public void Of_LeavesNoTensorBehind()
    {
        using Lpips lpips = new(Fresh(LpipsBackbone.Squeeze));
        RgbImage a = PerceptionSamples.Noise(32, 32, 1),
            b = PerceptionSamples.Noise(32, 32, 2);
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => lpips.Of(a, b)));
        Assert.Equal(0, PerceptionSamples.LeftBehind(() => lpips.MapOf(a, b)));
    }

    [Fact]
    public void Load_PublishedPairOfFiles_OrOneFile_GivesTheSame()
    {
        using LpipsModel model = Fresh(LpipsBackbone.Squeeze);
        string whole = Path.Combine(_folder, "whole.safetensors");
        PerceptionSamples.Write(model.Weights, whole, key => key);
        PerceptionSamples.Write(
            model.Weights,
            Path.Combine(_folder, "squeeze.safetensors"),
            key => key.StartsWith("lin", StringComparison.Ordinal) ? key : null
        );
        PerceptionSamples.Write(
            model.Weights,
            Path.Combine(_folder, "squeezenet1_1-b8a52dc0.safetensors"),
            key => key.StartsWith("net.", StringComparison.Ordinal) ? $"features.{key.Split('.', 3)[2]}" : null
        );
        using Lpips one = Lpips.Load(whole, LpipsBackbone.Squeeze),
            two = Lpips.Load(_folder, LpipsBackbone.Squeeze);
        RgbImage a = PerceptionSamples.Noise(32, 32, 1),
            b = PerceptionSamples.Noise(32, 32, 2);
        Assert.Equal(one.Of(a, b), two.Of(a, b));
        Assert.True(one.Of(a, b) > 0);
    }

    [Fact]
    public void Load_MissingWeightOrFile_SaysWhatWasExpected()
    {
        using LpipsModel model = Fresh(LpipsBackbone.Squeeze);
        string path = Path.Combine(_folder, "squeeze.safetensors");
        PerceptionSamples.Write(model.Weights, path, key => key == "lin3.model.1.weight" ? null : key);
        CheckpointMismatchException mismatch = Assert.Throws<CheckpointMismatchException>(() => Lpips.Load(path, LpipsBackbone.Squeeze).Dispose());
        Assert.Equal(["lin3.model.1.weight"], mismatch.Missing);
        Assert.Contains("squeezenet1_1", mismatch.Message, StringComparison.Ordinal);
        Assert.Throws<CheckpointMismatchException>(() => Lpips.Load(path, LpipsBackbone.Alex).Dispose());
        ModelFormatException missing = Assert.Throws<ModelFormatException>(() => Lpips.Load(_folder, LpipsBackbone.Squeeze).Dispose());
        Assert.Contains("squeezenet1_1*.safetensors", missing.Message, StringComparison.Ordinal);
        Assert.Contains("found squeeze.safetensors", missing.Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "vgg16-397923af.pth"), "");
        missing = Assert.Throws<ModelFormatException>(() => Lpips.Load(_folder, LpipsBackbone.Vgg).Dispose());
        Assert.Contains("pickle", missing.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => Lpips.Load(Path.Combine(_folder, "nowhere"), LpipsBackbone.Vgg).Dispose());
    }

    internal static LpipsModel Fresh(LpipsBackbone backbone)
    {
        LpipsModel model = new(backbone);
        model.Weights.Initialise(1, CPU, ScalarType.Float32);
        // The linear layers of the authors have no negative weights.
        foreach (Weight head in model.Weights.All.Where(w => w.Key.StartsWith("lin", StringComparison.Ordinal)))
            head.Value.abs_();
        return model;
    }
}
