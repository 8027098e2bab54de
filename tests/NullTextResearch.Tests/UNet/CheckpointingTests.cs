using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.UNet;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.UNet;

/// <summary>Gradients taken in segments are those of the recorded graph.</summary>
public sealed class CheckpointingTests
{
    // Levels with and without attention: the text comes in at different depths, so that skip connections do and do not depend on it.
    private static readonly Dictionary<string, UNetConfig> Networks = new()
    {
        ["attention everywhere"] = Config([true, true], 1),
        ["as Stable Diffusion 1"] = Config([true, true, true, false], 2),
        ["text comes in late"] = Config([false, true, false], 2),
        ["text in the middle alone"] = Config([false, false], 1),
    };

    public static TheoryData<string, int, int> Shapes =>
        new(from name in Networks.Keys from size in new[] { (8, 8), (12, 20), (10, 6) } select (name, size.Item1, size.Item2));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Differentiate_InSegments_EqualsTheRecordedGraph(string network, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks[network]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        PredictionGradient plain = Gradient(unet, new MemoryOptions(), height, width, ScalarType.Float64);
        foreach (MemoryOptions memory in (MemoryOptions[])[new() { Checkpointing = true }, new() { Checkpointing = true, Sequential = true }])
        {
            PredictionGradient segments = Gradient(unet, memory, height, width, ScalarType.Float64);
            Near(plain.Tokens!, segments.Tokens!, 1e-13);
            Near(plain.Prediction, segments.Prediction, 1e-13);
            Near(plain.Losses, segments.Losses, 1e-13);
        }
    }

    [Fact]
    public void Differentiate_InSegmentsInSingle_EqualsTheRecordedGraphUpToRounding()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["as Stable Diffusion 1"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float32);
        PredictionGradient plain = Gradient(unet, new MemoryOptions(), 16, 16, ScalarType.Float32),
            segments = Gradient(unet, new MemoryOptions { Checkpointing = true }, 16, 16, ScalarType.Float32);
        Near(plain.Tokens!, segments.Tokens!, 2e-6);
        Assert.Equal(0, TensorAssert.MaxDifference(plain.Prediction, segments.Prediction));
    }

    [Fact]
    public void Differentiate_ByTheSeamsDefault_EqualsTheNetworksOwnWay()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        UNetNoisePredictor own = new(unet);
        NoiseSchedule schedule = NoiseSchedule.StableDiffusion;
        foreach (
            (INoisePredictor seam, INoisePredictor plain) in ((INoisePredictor, INoisePredictor)[])
                [
                    (own, new Plain(own)),
                    (new VelocityPredictor(own, schedule), new Plain(new VelocityPredictor(own, schedule))),
                    (new CountingPredictor(own), new Plain(own)),
                ]
        )
        {
            PredictionGradient a = Gradient(seam, 8, 8, ScalarType.Float64),
                b = Gradient(plain, 8, 8, ScalarType.Float64);
            Near(b.Tokens!, a.Tokens!, 1e-13);
            Near(b.Prediction, a.Prediction, 1e-13);
        }
        CountingPredictor counting = new(own);
        Gradient(counting, 8, 8, ScalarType.Float64);
        Assert.Equal(2, counting.Evaluations);
    }

    [Fact]
    public void PullBack_Twice_GivesTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["as Stable Diffusion 1"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float64);
        SegmentTape tape = unet.Record(latents, tensor((long[])[500]), text, 0);
        Tensor gradient = randn_like(tape.Prediction);
        Tensor first = tape.PullBack(gradient),
            second = tape.PullBack(gradient.Times(2));
        Near(first.Times(2), second, 1e-13);
        Assert.Throws<ShapeMismatchException>(() => tape.PullBack(gradient.narrow(0, 0, 1)));
    }

    [Fact]
    public void Differentiate_InSegments_LeavesNoTensors()
    {
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float32);
        for (int round = 0; round < 2; round++)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float32);
            long before = TensorAssert.Live;
            PredictionGradient result = new UNetNoisePredictor(unet, memory: new MemoryOptions { Checkpointing = true }).Differentiate(
                latents,
                Step,
                text,
                Loss
            );
            Assert.Equal(before + 3, TensorAssert.Live);
        }
    }

    [Fact]
    public void Differentiate_WatchedByAProcessor_ShowsItEveryLayerOnce()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float32);
        (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float32);
        Watcher watcher = new();
        new UNetNoisePredictor(unet, watcher, new MemoryOptions { Checkpointing = true }).Differentiate(latents, Step, text, Loss);
        Assert.Equal(unet.Sites.Count, watcher.Calls);
    }

    [Fact]
    public void Differentiate_ByLatentsAndTokens_EqualsFiniteDifferences()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float64);
        UNetNoisePredictor predictor = new(unet, memory: new MemoryOptions { Checkpointing = true });
        PredictionGradient both = predictor.Differentiate(latents, Step, text, Loss, GradientOf.Latents | GradientOf.Tokens);
        PredictionGradient one = predictor.Differentiate(latents, Step, text, Loss, GradientOf.Latents);
        Assert.Null(one.Tokens);
        Near(both.Latents!, one.Latents!, 1e-13);
        Near(both.Tokens!, predictor.Differentiate(latents, Step, text, Loss).Tokens!, 1e-12);
        const double Little = 1e-5;
        Tensor direction = randn_like(latents);
        double Total(Tensor z) => Loss(predictor.Predict(z, Step, text)).sum().item<double>();
        double slope = (Total(latents.Plus(direction.Times(Little))) - Total(latents.sub(direction.Times(Little)))) / (2 * Little);
        double expected = both.Latents!.mul(direction).sum().item<double>();
        Assert.InRange(slope, expected - (1e-6 * Math.Abs(expected)) - 1e-10, expected + (1e-6 * Math.Abs(expected)) + 1e-10);
        Assert.Throws<ArgumentOutOfRangeException>(() => predictor.Differentiate(latents, Step, text, Loss, 0));
    }

    [Fact]
    public void Predict_RowByRow_EqualsTheBatch()
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float64, rows: 4);
        using AttentionStore together = new(),
            apart = new();
        foreach (
            (INetworkHook? a, INetworkHook? b) in ((INetworkHook?, INetworkHook?)[])
                [(null, null), (ExplicitAttention.Instance, ExplicitAttention.Instance), (new StoringAttention(together), new StoringAttention(apart))]
        )
        {
            Conditioning guided = new(text) { Rows = BatchLayout.Sources(2).Guided() };
            Tensor batch = new UNetNoisePredictor(unet, a).Predict(latents, Step, guided),
                rows = new UNetNoisePredictor(unet, b, new MemoryOptions { Sequential = true }).Predict(latents, Step, guided);
            Near(batch, rows, 1e-13);
        }
        Assert.NotEmpty(together.Maps);
        Assert.Equal(together.Maps.Select(m => m.Site.Path), apart.Maps.Select(m => m.Site.Path));
        foreach ((StoredMap a, StoredMap b) in together.Maps.Zip(apart.Maps))
            Near(a.Sum, b.Sum, 1e-12);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Predict_FewerEmbeddingsThanLatents_IsAnError(bool sequential)
    {
        using DisposeScope scope = NewDisposeScope();
        using UNet2DConditionModel unet = new(Networks["attention everywhere"]);
        unet.Weights.Initialise(3, CPU, ScalarType.Float64);
        (Tensor latents, Tensor text) = Inputs(8, 8, ScalarType.Float64, rows: 4);
        UNetNoisePredictor predictor = new(unet, memory: new MemoryOptions { Sequential = sequential });

        ShapeMismatchException error = Assert.Throws<ShapeMismatchException>(() => predictor.Predict(latents, Step, text.narrow(0, 0, 1)));

        Assert.Contains("[4, any, any]", error.Message, StringComparison.Ordinal);
    }

    private static DiffusionStep Step => new TimestepGrid(NoiseSchedule.StableDiffusion, 10).Moves[3];

    private static UNetConfig Config(bool[] attention, int layers) =>
        new()
        {
            SampleSize = 8,
            BlockOutChannels = [.. attention.Select((_, i) => 8 * (1 + (i % 2)))],
            DownHasAttention = attention,
            UpHasAttention = [.. attention.Reverse()],
            LayersPerBlock = layers,
            Heads = [.. attention.Select(_ => 2)],
            CrossAttentionDim = 6,
            NormNumGroups = 4,
        };

    private static (Tensor Latents, Tensor Text) Inputs(int height, int width, ScalarType dtype, int rows = 2)
    {
        using Generator generator = new(5);
        return (
            randn([rows, 4, height, width], ScalarType.Float64, generator: generator).to(dtype),
            randn([rows, 7, 6], ScalarType.Float64, generator: generator).to(dtype)
        );
    }

    private static Tensor Loss(Tensor prediction) => prediction.Plus(-0.3).Squared().flatten(1).mean([1L]);

    private static PredictionGradient Gradient(UNet2DConditionModel unet, MemoryOptions memory, int height, int width, ScalarType dtype) =>
        Gradient(new UNetNoisePredictor(unet, memory: memory), height, width, dtype);

    private static PredictionGradient Gradient(INoisePredictor predictor, int height, int width, ScalarType dtype)
    {
        (Tensor latents, Tensor text) = Inputs(height, width, dtype);
        return predictor.Differentiate(latents, Step, text, Loss);
    }

    private static void Near(Tensor expected, Tensor actual, double relative)
    {
        Assert.Equal(expected.shape, actual.shape);
        double difference = actual.sub(expected).to(ScalarType.Float64).norm().item<double>(),
            size = expected.to(ScalarType.Float64).norm().item<double>();
        Assert.True(size > 0 && difference <= relative * size, $"relative difference {difference / size:e2}, limit {relative:e0}");
    }

    /// <summary>A predictor that knows no way of its own to differentiate.</summary>
    private sealed class Plain(INoisePredictor inner) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) => inner.Predict(latents, step, condition);
    }

    private sealed class Watcher : INetworkHook
    {
        public int Calls { get; private set; }

        public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
        {
            Calls++;
            return FusedAttention.Instance.Attend(call, query, key, value);
        }
    }
}
