using System.Diagnostics;
using NullTextResearch.Layers;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Planning;

/// <summary>
/// How fast this machine does a network's work, kind by kind, from a second or two of measuring. With one CPU thread, the rates are those of an idle
/// machine, because processor time is measured. Several threads wait for each other when other work takes their processors; for these, processor time
/// and elapsed time are both considered.
/// </summary>
/// <param name="FlopsPerSecond">For every kind of work.</param>
/// <param name="SecondsPerOperation">Cost of each operation in addition to its arithmetic.</param>
public sealed record MachineRates(IReadOnlyDictionary<WorkKind, double> FlopsPerSecond, double SecondsPerOperation)
{
    // Time of a pass relative to the sum of its large operations. Norms, activations, additions and copies come between them, and weights and inputs
    // are not cached as they are when one operation is timed repeatedly; a backward pass also reads the saved activations. Measured: the U-Net of
    // Stable Diffusion 1.5 takes 1.25 forward and 1.35 with the backward pass; sd-mini at 64, 128 and 256 pixels 1.18 to 1.4 and 1.35 to 1.5.
    private const double BetweenForward = 1.25,
        BetweenBackward = 1.55;

    /// <summary>Times, on random numbers, the shapes that take most of a network's arithmetic.</summary>
    /// <param name="operations">The network's operations.</param>
    /// <param name="device">Device to measure.</param>
    /// <param name="dtype">Precision to measure.</param>
    /// <param name="shapes">Maximum number of shapes of each kind, the largest shares first.</param>
    /// <exception cref="System.Runtime.InteropServices.ExternalException">The device cannot do that work in that precision.</exception>
    public static MachineRates Measure(IReadOnlyList<NetworkOperation> operations, Device device, ScalarType dtype, int shapes = 3)
    {
        Dictionary<WorkKind, double> rates = [];
        foreach (IGrouping<WorkKind, NetworkOperation> kind in operations.GroupBy(o => o.Shape.Kind))
        {
            double flops = 0,
                seconds = 0;
            foreach (
                IGrouping<OperationShape, NetworkOperation> same in kind.GroupBy(o => o.Shape).OrderByDescending(g => g.Sum(o => o.Shape.Flops)).Take(shapes)
            )
            {
                double share = same.Sum(o => o.Shape.Flops);
                flops += share;
                seconds += share / same.Key.Flops * Seconds(same.Key, device, dtype);
            }
            rates[kind.Key] = flops / seconds;
        }
        OperationShape tiny = new()
        {
            Kind = WorkKind.Linear,
            Rows = 1,
            From = 8,
            To = 8,
            Width = 1,
        };
        // Each large operation comes with about five small ones (norm, activation, sum, copy, view).
        return new MachineRates(rates, 5 * Seconds(tiny, device, dtype));
    }

    /// <summary>Seconds of one forward pass.</summary>
    /// <param name="operations">The operations of the pass.</param>
    public double Forward(IReadOnlyList<NetworkOperation> operations) => Seconds(operations, o => o.Shape.Flops, BetweenForward);

    /// <summary>Seconds of one backward pass to the embedding, after a forward pass.</summary>
    /// <param name="operations">The operations of the forward pass.</param>
    public double Backward(IReadOnlyList<NetworkOperation> operations) =>
        Seconds([.. operations.Where(o => o.IsDifferentiated)], o => o.BackwardFlops, BetweenBackward);

    private double Seconds(IReadOnlyList<NetworkOperation> operations, Func<NetworkOperation, double> flops, double between) =>
        (between * operations.Sum(o => flops(o) / FlopsPerSecond[o.Shape.Kind])) + (operations.Count * SecondsPerOperation);

    private static double Seconds(OperationShape shape, Device device, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor Random(params long[] size) => randn(size, device: device).to(dtype);
        Tensor Heads(long positions) => Random(shape.Rows, positions, shape.Heads, shape.To / shape.Heads).transpose(1, 2);
        Func<Tensor> operation;
        if (shape.Kind == WorkKind.Convolution)
        {
            Tensor x = Random(shape.Rows, shape.From, shape.Height, shape.Width),
                weight = Random(shape.To, shape.From, shape.Kernel, shape.Kernel);
            operation = () => Convolution.Of(x, weight, null, shape.Stride, shape.Padding);
        }
        else if (shape.Kind == WorkKind.Linear)
        {
            Tensor x = Random(shape.Rows, shape.Width, shape.From),
                weight = Random(shape.To, shape.From);
            operation = () => F.linear(x, weight);
        }
        else
        {
            Tensor query = Heads(shape.Width),
                key = Heads(shape.Keys),
                value = Heads(shape.Keys);
            operation = () => F.scaled_dot_product_attention(query, key, value);
        }
        // The first call also chooses kernels.
        Once();
        double best = Once();
        for (int i = 0; i < 6 && best < 0.5; i++)
            best = Math.Min(best, Once());
        return best;

        double Once()
        {
            int calls = 1;
            for (; ; calls *= 4)
            {
                Synchronize(device);
                TimeSpan processor = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                for (int i = 0; i < calls; i++)
                    operation().Dispose();
                Synchronize(device);
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                // Time taken by other processes does not count.
                if (device.type == DeviceType.CPU)
                    seconds = Math.Min(seconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
                if (seconds > 0.002 || calls >= 256)
                    return seconds / calls;
            }
        }
    }

    private static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA)
            cuda.synchronize();
    }
}
