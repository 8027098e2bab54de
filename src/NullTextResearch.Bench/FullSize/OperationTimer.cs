using System.Diagnostics;
using NullTextResearch.Layers;
using NullTextResearch.Planning;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Bench.FullSize;

/// <summary>Times one operation of a network alone: nothing before it, nothing after it, its weights in the cache where they fit.</summary>
internal sealed class OperationTimer(Device device, int repeats)
{
    /// <summary>Shortest forward time of an operation in seconds, on random numbers.</summary>
    public double Best(OperationShape shape, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Func<Tensor> operation;
        switch (shape.Kind)
        {
            case WorkKind.Convolution:
                Tensor map = Random(shape.Rows, shape.From, shape.Height, shape.Width),
                    kernel = Random(shape.To, shape.From, shape.Kernel, shape.Kernel),
                    shift = Random(shape.To);
                operation = () => Convolution.Of(map, kernel, shift, shape.Stride, shape.Padding);
                break;
            case WorkKind.Linear:
                Tensor rows = Random(shape.Rows, shape.Width, shape.From),
                    weight = Random(shape.To, shape.From),
                    bias = Random(shape.To);
                operation = () => F.linear(rows, weight, bias);
                break;
            default:
                // Strided as in the network: heads are a view of the channels.
                Tensor Heads(long positions) => Random(shape.Rows, positions, shape.Heads, shape.To / shape.Heads).transpose(1, 2);
                Tensor query = Heads(shape.Width),
                    key = Heads(shape.Keys),
                    value = Heads(shape.Keys);
                operation = () => F.scaled_dot_product_attention(query, key, value);
                break;
        }
        return Best(operation);

        Tensor Random(params long[] size) => randn(size, device: device).to(dtype);
    }

    /// <summary>Shortest time of a product of two square matrices in seconds.</summary>
    public double BestSquare(long side, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor a = randn([side, side], device: device).to(dtype),
            b = randn([side, side], device: device).to(dtype);
        return Best(() => mm(a, b));
    }

    private double Best(Func<Tensor> operation)
    {
        double best = double.PositiveInfinity;
        // One call to choose kernels, not counted; short operations are repeated more often.
        Seconds(1);
        double first = Seconds(1);
        int calls = (int)Math.Clamp(0.02 / first, 1, 200);
        for (int i = 0; i < repeats; i++)
            best = Math.Min(best, Seconds(calls));
        return best;

        double Seconds(int count)
        {
            Synchronize();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
                operation().Dispose();
            Synchronize();
            return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
        }
    }

    private void Synchronize()
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize();
    }
}
