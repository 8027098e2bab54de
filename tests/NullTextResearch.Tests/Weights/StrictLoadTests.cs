using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Weights;

public sealed class StrictLoadTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-strict-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Larger than the buffer that is read at a time, in every combination of what is stored and what is wanted.</summary>
    [Theory]
    [InlineData(ScalarType.Float32, ScalarType.Float32)]
    [InlineData(ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16, ScalarType.Float32)]
    [InlineData(ScalarType.Float64, ScalarType.Float32)]
    public void Load_TensorLargerThanTheBuffer_IsWhole(ScalarType stored, ScalarType wanted)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "large.safetensors");
        Tensor value = new FormulaWeights().Input("large", [1700, 2503]).to(stored),
            small = new FormulaWeights().Input("small", [7]).to(stored);
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["small"] = small, ["large"] = value });
        using WeightSet weights = new();
        weights.Root.Declare("large", [1700, 2503], WeightInit.FanIn);
        weights.Root.Declare("small", [7], WeightInit.FanIn);
        List<long> read = [];
        using (Checkpoint file = Checkpoint.Open(path))
            StrictLoad.Load(
                weights,
                file,
                CPU,
                wanted,
                key => [new KeySource(key)],
                _ => false,
                new LoadMeter(1, new Direct(p => read.Add(p.BytesRead)), default)
            );
        Assert.True(weights.Find("large")!.Value.equal(value.to(wanted)).all().item<bool>());
        Assert.True(weights.Find("small")!.Value.equal(small.to(wanted)).all().item<bool>());
        Assert.Equal((1700L * 2503 + 7) * value.element_size(), read[^1]);
        Assert.Equal(
            stored == ScalarType.Float16 ? 2
                : stored == ScalarType.Float32 ? 3
                : 4,
            read.Count
        );
    }

    [Fact]
    public void Load_StackedTensor_EachWeightTakesItsPart()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "stacked.safetensors");
        Tensor all = ScalarArithmetic.Range(18, ScalarType.Float32).reshape(6, 3);
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["qkv"] = all });
        using WeightSet weights = new();
        string[] names = ["q", "k", "v"];
        foreach (string name in names)
            weights.Root.Declare(name, [2, 3], WeightInit.FanIn);
        using Checkpoint file = Checkpoint.Open(path);
        StrictLoad.Load(
            weights,
            file,
            CPU,
            ScalarType.Float64,
            key => [new KeySource("qkv") { Part = Array.IndexOf(names, key), Parts = 3 }],
            _ => false,
            null
        );
        for (int i = 0; i < 3; i++)
            TensorAssert.Close(all.narrow(0, 2 * i, 2).to(ScalarType.Float64), weights.Find(names[i])!.Value, 0);
    }

    [Theory]
    [InlineData(new long[] { 4, 4, 1, 1 }, true, true)]
    [InlineData(new long[] { 4, 4 }, true, true)]
    [InlineData(new long[] { 4, 4, 1, 1 }, false, false)]
    [InlineData(new long[] { 1, 4, 4 }, true, false)]
    [InlineData(new long[] { 1, 4 }, false, false)]
    [InlineData(new long[] { 16 }, true, false)]
    public void Load_ShapeThatDiffers_IsTakenOnlyForTrailingOnesWhereAllowed(long[] stored, bool ignoreOnes, bool taken)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "shape.safetensors");
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["w"] = zeros(stored) });
        using WeightSet weights = new();
        weights.Root.Declare("w", [4, 4], WeightInit.FanIn);
        using Checkpoint file = Checkpoint.Open(path);
        void Load() => StrictLoad.Load(weights, file, CPU, ScalarType.Float32, key => [new KeySource(key) { IgnoreUnitAxes = ignoreOnes }], _ => false, null);
        if (taken)
            Load();
        else
            Assert.Single(Assert.Throws<CheckpointMismatchException>(Load).Misshaped);
        Assert.Equal(taken, weights.Find("w")!.HasValue);
    }

    [Fact]
    public void Load_BothSpellingsOfOneKey_TheSecondIsASurplus()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "two.safetensors");
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["new"] = ones(2), ["old"] = zeros(2) });
        using WeightSet weights = new();
        weights.Root.Declare("new", [2], WeightInit.FanIn);
        using Checkpoint file = Checkpoint.Open(path);
        CheckpointMismatchException e = Assert.Throws<CheckpointMismatchException>(() =>
            StrictLoad.Load(weights, file, CPU, ScalarType.Float32, key => [new KeySource(key), new KeySource("old")], _ => false, null)
        );
        Assert.Equal(["old"], e.Extra);
    }

    private sealed class Direct(Action<LoadProgress> report) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => report(value);
    }
}
