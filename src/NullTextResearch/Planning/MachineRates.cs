using System.Diagnostics;
using NullTextResearch.Layers;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Planning;

/// <summary>
/// How fast this machine does a network's work, kind by kind, from a second or two of measuring. On a CPU with one thread the rates are those of a quiet
/// machine, for processor time is measured; several threads wait for each other when other work takes their processors, and then both are looked at.
/// </summary>
/// <param name="FlopsPerSecond">Of every kind of work.</param>
/// <param name="SecondsPerOperation">What each operation costs beside its arithmetic.</param>
public sealed record MachineRates(IReadOnlyDictionary<WorkKind, double> FlopsPerSecond, double SecondsPerOperation)
{
    // A pass against the sum of its large operations: norms, activations, additions and copies stand between them, and weights and inputs are not in the
    // caches as they are where one operation is timed again and again; on the way back the saved activations are read too. Measured: the U-Net of Stable
    // Diffusion 1.5 takes 1.25 forward and 1.35 with the way back; sd-mini at 64, 128 and 256 pixels 1.18 to 1.4 and 1.35 to 1.5.
    private const double BetweenForward = 1.25,
        BetweenBackward = 1.55;

    /// <summary>Times the shapes that a network spends most of its arithmetic on, on random numbers.</summary>
    /// <param name="operations">The network's operations.</param>
    /// <param name="device">Where.</param>
    /// <param name="dtype">In which precision.</param>
    /// <param name="shapes">How many shapes of each kind at most, the largest shares first.</param>
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
        // About five small operations (norm, activation, sum, copy, view) go with each large one.
        return new MachineRates(rates, 5 * Seconds(tiny, device, dtype));
    }

    /// <summary>Seconds of one pass forward.</summary>
    /// <param name="operations">What it consists of.</param>
    public double Forward(IReadOnlyList<NetworkOperation> operations) => Seconds(operations, o => o.Shape.Flops, BetweenForward);

    /// <summary>Seconds of one pass back to the embedding, after a forward pass.</summary>
    /// <param name="operations">What the forward pass consists of.</param>
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
                // What other processes took in between does not count.
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
