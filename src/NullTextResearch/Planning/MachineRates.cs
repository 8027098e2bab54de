using System.Diagnostics;
using NullTextResearch.Layers;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Planning;

/// <summary>How fast this machine does a network's work, kind by kind, from a second or two of measuring.</summary>
/// <param name="FlopsPerSecond">Of every kind of work.</param>
/// <param name="SecondsPerOperation">What each operation costs beside its arithmetic.</param>
public sealed record MachineRates(IReadOnlyDictionary<WorkKind, double> FlopsPerSecond, double SecondsPerOperation)
{
    // Norms, activations, additions and copies, as a share of the rest; measured on the U-Net of Stable Diffusion 1.5, fp32 and bf16.
    private const double Between = 1.07;

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
            double flops = 0, seconds = 0;
            foreach (IGrouping<OperationShape, NetworkOperation> same in kind.GroupBy(o => o.Shape).OrderByDescending(g => g.Sum(o => o.Shape.Flops)).Take(shapes))
            {
                double share = same.Sum(o => o.Shape.Flops);
                flops += share;
                seconds += share / same.Key.Flops * Seconds(same.Key, device, dtype);
            }
            rates[kind.Key] = flops / seconds;
        }
        OperationShape tiny = new() { Kind = WorkKind.Linear, Rows = 1, From = 8, To = 8, Width = 1 };
        // About five small operations (norm, activation, sum, copy, view) go with each large one.
        return new MachineRates(rates, 5 * Seconds(tiny, device, dtype));
    }

    /// <summary>Seconds of one pass forward.</summary>
    /// <param name="operations">What it consists of.</param>
    public double Forward(IReadOnlyList<NetworkOperation> operations) => Seconds(operations, o => o.Shape.Flops);

    /// <summary>Seconds of one pass back to the embedding, after a forward pass.</summary>
    /// <param name="operations">What the forward pass consists of.</param>
    public double Backward(IReadOnlyList<NetworkOperation> operations) => Seconds([.. operations.Where(o => o.IsDifferentiated)], o => o.BackwardFlops);

    private double Seconds(IReadOnlyList<NetworkOperation> operations, Func<NetworkOperation, double> flops) =>
        (Between * operations.Sum(o => flops(o) / FlopsPerSecond[o.Shape.Kind])) + (operations.Count * SecondsPerOperation);

    private static double Seconds(OperationShape shape, Device device, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor Random(params long[] size) => randn(size, device: device).to(dtype);
        Tensor Heads(long positions) => Random(shape.Rows, positions, shape.Heads, shape.To / shape.Heads).transpose(1, 2);
        Func<Tensor> operation;
        if (shape.Kind == WorkKind.Convolution)
        {
            Tensor x = Random(shape.Rows, shape.From, shape.Height, shape.Width), weight = Random(shape.To, shape.From, shape.Kernel, shape.Kernel);
            operation = () => Convolution.Of(x, weight, null, shape.Stride, shape.Padding);
        }
        else if (shape.Kind == WorkKind.Linear)
        {
            Tensor x = Random(shape.Rows, shape.Width, shape.From), weight = Random(shape.To, shape.From);
            operation = () => F.linear(x, weight);
        }
        else
        {
            Tensor query = Heads(shape.Width), key = Heads(shape.Keys), value = Heads(shape.Keys);
            operation = () => F.scaled_dot_product_attention(query, key, value);
        }
        // The first call also chooses kernels.
        Once();
        double best = Once();
        for (int i = 0; i < 6 && best < 0.5; i++) best = Math.Min(best, Once());
        return best;

        double Once()
        {
            int calls = 1;
            for (; ; calls *= 4)
            {
                Synchronize(device);
                long start = Stopwatch.GetTimestamp();
                for (int i = 0; i < calls; i++) operation().Dispose();
                Synchronize(device);
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (seconds > 0.002 || calls >= 256) return seconds / calls;
            }
        }
    }

    private static void Synchronize(Device device)
    {
        if (device.type == DeviceType.CUDA) cuda.synchronize();
    }
}
