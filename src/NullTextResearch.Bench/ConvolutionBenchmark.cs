using System.Diagnostics;
using System.Globalization;
using System.Text;
using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Bench;

/// <summary>Cost of correct convolutions: the library's against libtorch's own, in alternation, at the shapes of both model families.</summary>
internal sealed class ConvolutionBenchmark(int rounds, int threads)
{
    private static readonly Case[] Cases =
    [
        new("SD 1.5 conv_in", 1, 4, 320, 64),
        new("SD 1.5 conv_out", 1, 320, 4, 64),
        new("SD 1.5 inner", 1, 320, 320, 64),
        new("SD 1.5 downsampler", 1, 320, 320, 64, 2),
        new("SD 1.5 inner, deepest", 1, 1280, 1280, 8),
        new("sd-mini conv_in", 2, 4, 64, 16),
        new("sd-mini conv_out", 2, 64, 4, 16),
        new("sd-mini inner", 2, 64, 64, 16),
        new("sd-mini autoencoder, 96 to 8", 2, 96, 8, 16),
        new("24 to 24", 2, 24, 24, 32),
    ];

    /// <summary>Measures and returns the report.</summary>
    public string Run()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        StringBuilder text = new();
        text.AppendLine(c, $"# Cost of right convolutions, {DateTimeOffset.UtcNow:yyyy-MM-dd}");
        text.AppendLine();
        text.AppendLine(
            c,
            $"{Machine.Processor()}, {threads} thread(s), TorchSharp {typeof(torch).Assembly.GetName().Version}; 3x3 convolutions by the library "
                + $"(`Convolution.Of`, which adds channels where libtorch may be wrong) against libtorch's own; medians of {rounds} rounds in which "
                + $"the two took turns. *1.00* without added channels is the same call. Error: relative error of libtorch's own against float64, in the "
                + $"call timed on its left; the library's is within the limits of the self-test, 1e-5 in float32 and 2e-2 in bfloat16."
        );
        text.AppendLine();
        text.AppendLine(
            "| convolution | precision | added channels, forward / with gradient | forward, own, us | library / own | error of own | with input gradient, "
                + "own, us | library / own | error of own |"
        );
        text.AppendLine("|---|---|---|---|---|---|---|---|---|");
        foreach (Case shape in Cases)
        foreach (ScalarType dtype in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            using DisposeScope scope = NewDisposeScope();
            using Generator generator = new(7);
            Tensor x = randn([shape.Rows, shape.From, shape.Side, shape.Side], generator: generator).to(dtype);
            Tensor weight = randn([shape.To, shape.From, 3, 3], generator: generator).div(tensor(Math.Sqrt(9 * shape.From), ScalarType.Float32)).to(dtype);
            (long plainTo, long plainFrom) = Convolution.AddedChannels(dtype, DeviceType.CPU, shape.From, shape.To, shape.Stride, false);
            (long gradTo, long gradFrom) = Convolution.AddedChannels(dtype, DeviceType.CPU, shape.From, shape.To, shape.Stride, true);
            (double ownForward, double forwardRatio) = Turns(() => Forward(Own, x), () => Forward(Right, x));
            (double ownBoth, double bothRatio) = Turns(() => Both(Own, x), () => Both(Right, x));
            Tensor exactX = x.to(ScalarType.Float64),
                exactWeight = weight.to(ScalarType.Float64);
            Tensor Exact(Tensor t) => F.conv2d(t, exactWeight, strides: [shape.Stride, shape.Stride], padding: [1, 1]);
            double forwardError = Error(Kept(Own, x), Kept(Exact, exactX)),
                gradientError = Error(Gradient(Own, x), Gradient(Exact, exactX));
            text.AppendLine(
                c,
                $"| {shape.Name}: {shape.From} to {shape.To} at {shape.Side}{(shape.Stride > 1 ? ", stride 2" : "")}, {shape.Rows} row(s) | "
                    + $"{Precision.NameOf(dtype)} | {Added(plainFrom, plainTo)} / {Added(gradFrom, gradTo)} | {1e6 * ownForward:0} | {forwardRatio:0.00} "
                    + $"| {forwardError:0e+0} | {1e6 * ownBoth:0} | {bothRatio:0.00} | {gradientError:0e+0} |"
            );

            Tensor Own(Tensor t) => F.conv2d(t, weight, strides: [shape.Stride, shape.Stride], padding: [1, 1]);
            Tensor Right(Tensor t) => Convolution.Of(t, weight, stride: shape.Stride, padding: 1);
        }
        text.AppendLine();
        text.AppendLine("An error of NaN means that libtorch returned NaN.");
        return text.ToString();
    }

    private static string Added(long from, long to) => from == 0 && to == 0 ? "none" : $"{from} in, {to} out";

    private static void Forward(Func<Tensor, Tensor> convolve, Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Kept(convolve, x);
    }

    private static Tensor Kept(Func<Tensor, Tensor> convolve, Tensor x)
    {
        using IDisposable grad = no_grad();
        return convolve(x);
    }

    private static void Both(Func<Tensor, Tensor> convolve, Tensor x)
    {
        using DisposeScope scope = NewDisposeScope();
        Gradient(convolve, x);
    }

    private static Tensor Gradient(Func<Tensor, Tensor> convolve, Tensor x)
    {
        Tensor leaf = x.detach().requires_grad_();
        Tensor y = convolve(leaf);
        return autograd.grad([y], [leaf], [y.detach()])[0];
    }

    private static double Error(Tensor actual, Tensor expected) => actual.to(ScalarType.Float64).sub(expected).norm().div(expected.norm()).item<double>();

    /// <summary>Seconds per call of the first, and how many times as long the second takes: medians over rounds of about 20 ms each.</summary>
    private (double Seconds, double Ratio) Turns(Action first, Action second)
    {
        first();
        second();
        int calls = Math.Max(1, (int)(0.02 / Time(first, 1)));
        double[] firsts = new double[rounds],
            ratios = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            firsts[round] = Time(first, calls);
            ratios[round] = Time(second, calls) / firsts[round];
        }
        return (Median(firsts), Median(ratios));

        static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);

        static double Time(Action action, int calls)
        {
            long begun = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++)
                action();
            return Stopwatch.GetElapsedTime(begun).TotalSeconds / calls;
        }
    }

    private sealed record Case(string Name, long Rows, long From, long To, long Side, long Stride = 1);
}
