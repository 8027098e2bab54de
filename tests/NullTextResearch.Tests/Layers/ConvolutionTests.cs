using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Tests.Layers;

/// <summary>Convolutions and their gradients are right on the machine at hand, and go the right way on any other.</summary>
public sealed class ConvolutionTests
{
    // What the library convolves without gradients in float32 is what it always was.
    [Theory]
    [InlineData(4, 320)]
    [InlineData(320, 4)]
    [InlineData(9, 320)]
    [InlineData(3, 128)]
    [InlineData(128, 3)]
    [InlineData(512, 8)]
    [InlineData(8, 8)]
    [InlineData(64, 4)]
    public void Of_Float32WithoutGradient_IsLibtorchsToTheLastBit(long from, long to)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(1);
        Tensor x = randn([2, from, 9, 7], generator: generator),
            weight = randn([to, from, 3, 3], generator: generator),
            bias = randn([to], generator: generator);
        using (no_grad())
            Assert.True(Convolution.Of(x, weight, bias, 1, 1).equal(F.conv2d(x, weight, bias, padding: [1, 1])).all().item<bool>());
        // An input that nobody differentiates needs no help either.
        Assert.Equal((0L, 0L), Convolution.AddedChannels(ScalarType.Float32, DeviceType.CPU, from, to, 1, inputGradient: false));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 320, 4, 1, true, 12, 0)]
    [InlineData(ScalarType.Float32, 320, 320, 1, true, 0, 0)]
    [InlineData(ScalarType.Float32, 4, 320, 1, true, 0, 12)]
    [InlineData(ScalarType.Float32, 320, 320, 2, true, 0, 0)]
    [InlineData(ScalarType.Float32, 80, 48, 2, true, 16, 16)]
    [InlineData(ScalarType.Float32, 40, 24, 1, false, 0, 8)]
    [InlineData(ScalarType.Float32, 12, 24, 1, false, 0, 0)]
    [InlineData(ScalarType.BFloat16, 320, 4, 1, false, 12, 0)]
    [InlineData(ScalarType.BFloat16, 4, 320, 1, false, 0, 12)]
    [InlineData(ScalarType.Float64, 320, 4, 1, true, 0, 0)]
    public void AddedChannels_OnAProcessor_FillUpBlocks(ScalarType dtype, long from, long to, long stride, bool gradient, long moreTo, long moreFrom)
    {
        Assert.Equal((moreTo, moreFrom), Convolution.AddedChannels(dtype, DeviceType.CPU, from, to, stride, gradient));
        Assert.Equal((0L, 0L), Convolution.AddedChannels(dtype, DeviceType.CUDA, from, to, stride, gradient));
    }

    // On a processor without the fault the two ways agree; that the library goes the other one shows in how its result lies in memory.
    [Fact]
    public void Forward_ExitOfANetworkUnderGradients_IsAViewIntoAFullBlock()
    {
        using DisposeScope scope = NewDisposeScope();
        WeightSet weights = new();
        Conv2d exit = new(weights.Root["conv_out"], 64, 4);
        weights.Fill(w => ones([.. w.Dimensions]));
        Tensor x = ones([2, 64, 8, 8]);
        using (no_grad())
            Assert.Equal(4 * 64, exit.Forward(x).stride(0));
        using IDisposable grad = enable_grad();
        Assert.Equal(4 * 64, exit.Forward(x).stride(0));
        Assert.Equal(16 * 64, exit.Forward(x.requires_grad_(true)).stride(0));
        weights.Dispose();
    }

    [Fact]
    public void Of_RandomShapes_AgreesWithFloat64()
    {
        Random random = new(11);
        long[] channels = [1, 3, 4, 8, 12, 16, 20, 24, 36, 40, 48, 64, 72, 80, 112];
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            double limit = dtype == ScalarType.Float32 ? 1e-5 : 1.5e-2;
            for (int i = 0; i < 60; i++)
            {
                using DisposeScope scope = NewDisposeScope();
                using Generator generator = new((ulong)i);
                long from = channels[random.Next(channels.Length)],
                    to = channels[random.Next(channels.Length)],
                    rows = random.Next(1, 4),
                    high = random.Next(5, 20),
                    wide = random.Next(5, 20);
                long kernel = random.Next(4) == 0 ? 1 : 3,
                    stride = random.Next(3) == 0 ? 2 : 1;
                Tensor Draw(double scale, params long[] shape) => randn(shape, generator: generator).Times(scale).to(dtype);
                Tensor[] inputs = [Draw(1, rows, from, high, wide), Draw(1 / Math.Sqrt(from * kernel * kernel), to, from, kernel, kernel), Draw(1, to)];
                Tensor[] Leaves(ScalarType type) => [.. inputs.Select(t => t.to(type, copy: true).requires_grad_(true))];
                Tensor[] own = Leaves(dtype),
                    exact = Leaves(ScalarType.Float64);
                Tensor y = Convolution.Of(own[0], own[1], own[2], stride, kernel / 2),
                    expected = F.conv2d(exact[0], exact[1], exact[2], strides: [stride, stride], padding: [kernel / 2, kernel / 2]);
                Tensor upstream = Draw(1, expected.shape);
                Tensor[] gradients = [.. autograd.grad([y], own, [upstream])],
                    right = [.. autograd.grad([expected], exact, [upstream.to(ScalarType.Float64)])];
                foreach ((Tensor actual, Tensor truth) in gradients.Zip(right).Prepend((y, expected)))
                {
                    double error = actual.to(ScalarType.Float64).sub(truth).norm().div(truth.norm()).item<double>();
                    Assert.True(error <= limit, $"{dtype} {from} to {to}, kernel {kernel}, stride {stride}, {rows} of {high}x{wide}: off by {error}");
                }
            }
        }
    }

    [Fact]
    public void Of_OtherChannels_SaysWhatCame()
    {
        using DisposeScope scope = NewDisposeScope();
        ShapeMismatchException e = Assert.Throws<ShapeMismatchException>(() => Convolution.Of(ones([1, 3, 8, 8]), ones([2, 4, 3, 3])));
        Assert.Contains("[any, 4, any, any], got [1, 3, 8, 8]", e.Message, StringComparison.Ordinal);
    }
}
