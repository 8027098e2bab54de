using NullTextResearch.Planning;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Planning;

/// <summary>What the planner believes a network does is what the network does.</summary>
public sealed class NetworkTapeTests
{
    private static readonly UNetConfig SmallUNet = new()
    {
        BlockOutChannels = [8, 16, 24],
        DownHasAttention = [true, false, true],
        UpHasAttention = [true, false, true],
        Heads = [2, 2, 4],
        LayersPerBlock = 2,
        CrossAttentionDim = 12,
        NormNumGroups = 4,
        SampleSize = 16,
    };

    private static readonly VaeConfig SmallVae = new()
    {
        BlockOutChannels = [8, 8, 16],
        LayersPerBlock = 1,
        NormNumGroups = 4,
        SampleSize = 32,
    };

    [Theory]
    [InlineData(16, 16, 1, false)]
    [InlineData(16, 24, 2, false)]
    [InlineData(10, 14, 1, true)]
    public void UNet_AnySize_IsPlannedOperationForOperation(int height, int width, int rows, bool linearProjection)
    {
        UNetConfig config = SmallUNet with { UseLinearProjection = linearProjection };
        using UNet2DConditionModel net = new(config);
        net.Weights.Initialise(3, CPU, ScalarType.Float32);
        List<Seen> seen = Watch(net.Weights, () => net.Forward(randn(rows, 4, height, width), tensor((long[])[5]), randn(rows, NetworkWork.Tokens, 12)));
        Assert.Equal(seen, Planned(NetworkWork.OfUNet(config, height, width, rows)));
    }

    [Fact]
    public void Autoencoder_BothWays_IsPlannedOperationForOperation()
    {
        using AutoencoderKL net = new(SmallVae);
        net.Weights.Initialise(3, CPU, ScalarType.Float32);
        NetworkTape encoding = new(new TapeOptions(4, Gradients: false)),
            decoding = new(new TapeOptions(4, Gradients: false));
        new AutoencoderCourse(SmallVae, encoding).Encode(2, 24, 32);
        new AutoencoderCourse(SmallVae, decoding).Decode(2, 6, 8);
        Assert.Equal(Watch(net.Weights, () => net.Encode(randn(2, 3, 24, 32))), Planned(encoding.Operations));
        Assert.Equal(Watch(net.Weights, () => net.Decode(randn(2, 4, 6, 8))), Planned(decoding.Operations));
    }

    [Fact]
    public void UNet_StableDiffusion1_HasItsPublishedArithmetic()
    {
        IReadOnlyList<NetworkOperation> operations = NetworkWork.OfUNet(UNetConfig.StableDiffusion1, 64, 64);
        // 16 transformers, each with one of either kind.
        Assert.Equal(16, operations.Count(o => o.Shape.Kind == WorkKind.SelfAttention));
        Assert.Equal(16, operations.Count(o => o.Shape.Kind == WorkKind.CrossAttention));
        // Known as about 0.8 TFLOP (0.4 T multiply-adds).
        Assert.InRange(operations.Sum(o => o.Shape.Flops), 0.78e12, 0.83e12);
        // Nothing before the first cross-attention depends on the text.
        Assert.Equal("down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", operations.First(o => o.IsDifferentiated).Path);
    }

    [Fact]
    public void Scopes_AllPasses_EndWithNothingAliveButTheResult()
    {
        foreach (bool gradients in (bool[])[false, true])
        {
            NetworkTape tape = new(new TapeOptions(4, gradients));
            Planned result = new UNetCourse(SmallUNet, tape, NetworkWork.Tokens, makesMaps: true).Run(1, 16, 16);
            if (gradients)
                tape.Backward(result);
            Assert.Equal(result.Count * 4, tape.Live);
            Assert.True(tape.Peak > tape.Live);
        }
    }

    private static List<Seen> Watch(WeightSet weights, Func<Tensor> pass)
    {
        List<Seen> seen = [];
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        weights.Observer = (path, output) =>
        {
            if (weights.Find($"{path}.weight") is { Dimensions.Count: >= 2 } weight)
                seen.Add(new Seen(path, string.Join('x', weight.Dimensions), output.numel()));
        };
        pass();
        weights.Observer = null;
        return seen;
    }

    private static List<Seen> Planned(IReadOnlyList<NetworkOperation> operations) =>
        [
            .. operations
                .Where(o => o.Shape.Kind is WorkKind.Convolution or WorkKind.Linear)
                .Select(o => new Seen(
                    o.Path,
                    o.Shape.Kind == WorkKind.Linear ? $"{o.Shape.To}x{o.Shape.From}" : $"{o.Shape.To}x{o.Shape.From}x{o.Shape.Kernel}x{o.Shape.Kernel}",
                    (long)o.Shape.Outputs
                )),
        ];

    private sealed record Seen(string Path, string Weight, long Outputs);
}
