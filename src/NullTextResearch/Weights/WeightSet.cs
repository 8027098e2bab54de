using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>
/// The declared parameters of one network. Layers declare what they need and hold the declaration; a checkpoint or an initialiser sets all values
/// later, in one go. Building a network therefore allocates nothing, and its keys are the strings in the code.
/// </summary>
/// <remarks>
/// Any number of threads may use a network at the same time. An operation that changes all weights (loading, moving, initialising, disposing) waits
/// until running passes through the network have ended, and blocks later ones until it is done.
/// </remarks>
public sealed class WeightSet : IDisposable
{
    private readonly UseGate _gate;
    private readonly List<Weight> _all = [];
    private readonly Dictionary<string, Weight> _byKey = new(StringComparer.Ordinal);

    /// <summary>An empty set.</summary>
    /// <param name="network">Name of the network, for messages.</param>
    public WeightSet(string network = nameof(WeightSet)) => _gate = new UseGate(network);

    /// <summary>All weights, in order of declaration.</summary>
    public IReadOnlyList<Weight> All => _all;

    /// <summary>Called with the module path and output of every module while set; for tests and for finding where two implementations diverge.</summary>
    public Action<string, Tensor>? Observer { get; set; }

    /// <summary>The weight with the key <paramref name="key"/>, or null.</summary>
    public Weight? Find(string key) => _byKey.GetValueOrDefault(key);

    /// <summary>Number of parameters.</summary>
    public long ParameterCount => _all.Sum(w => w.Count);

    /// <summary>Device of the weights.</summary>
    /// <exception cref="InvalidOperationException">They have no values.</exception>
    /// <exception cref="ObjectDisposedException">They were disposed.</exception>
    internal Device Device
    {
        get
        {
            using UseGate.Lease use = Use();
            return _all[0].Value.device;
        }
    }

    /// <summary>Precision of the weights.</summary>
    /// <exception cref="InvalidOperationException">They have no values.</exception>
    /// <exception cref="ObjectDisposedException">They were disposed.</exception>
    internal ScalarType Dtype
    {
        get
        {
            using UseGate.Lease use = Use();
            return _all[0].Value.dtype;
        }
    }

    /// <summary>The top of the key tree.</summary>
    public WeightPath Root => new(this, "");

    /// <summary>Begins a pass through the network: until this thread disposes the lease, no other thread frees or replaces the weights.</summary>
    /// <exception cref="ObjectDisposedException">They were disposed.</exception>
    internal UseGate.Lease Use() => _gate.Use();

    /// <summary>Throws if this thread is in the middle of a pass: waiting for its end would never return.</summary>
    internal void RefuseWithinUse(string what) => _gate.RefuseWithinUse(what);

    internal Weight Declare(string key, long[] shape, WeightInit init, long fanIn)
    {
        Weight weight = new(key, shape, init) { FanIn = fanIn };
        if (!_byKey.TryAdd(key, weight))
            throw new InvalidOperationException($"Two layers declare '{key}'.");
        _all.Add(weight);
        return weight;
    }

    /// <summary>Gives every weight a fresh value, reproducible from the seed.</summary>
    /// <param name="seed">Seed; each weight draws from its own stream, so the order of declaration does not matter.</param>
    /// <param name="device">Device of the values.</param>
    /// <param name="dtype">Their floating-point type.</param>
    public void Initialise(long seed, Device device, ScalarType dtype) =>
        _gate.Change(() =>
        {
            foreach (Weight weight in _all)
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable grad = no_grad();
                using Generator generator = new(StableHash(weight.Key) ^ (ulong)seed);
                long[] shape = [.. weight.Dimensions];
                Tensor value = weight.Init switch
                {
                    WeightInit.Zeros => zeros(shape),
                    WeightInit.Ones => ones(shape),
                    WeightInit.Normal002 => randn(shape, generator: generator).Times(0.02),
                    WeightInit.Range => ScalarArithmetic.Range(weight.Count, ScalarType.Int64).reshape(shape),
                    WeightInit.FanIn => rand(shape, generator: generator).Times(2).Plus(-1).Over(Math.Sqrt(weight.FanIn)),
                    _ => throw new ArgumentOutOfRangeException(nameof(seed), weight.Init, "Unknown initialisation."),
                };
                weight.Set(weight.Init == WeightInit.Range ? value.to(device) : value.to(dtype, device));
            }
        });

    /// <summary>Moves and converts every floating-point weight. References to previous values become invalid.</summary>
    public void MoveTo(Device device, ScalarType dtype) =>
        _gate.Change(() =>
        {
            foreach (Weight weight in _all)
            {
                if (!weight.HasValue)
                    continue;
                using IDisposable grad = no_grad();
                Tensor old = weight.Value;
                Tensor moved = old.is_floating_point() ? old.to(dtype, device) : old.to(device);
                if (!ReferenceEquals(moved, old))
                    weight.Set(moved);
            }
        });

    /// <summary>Sets every weight from a function of its key and shape; the set takes ownership of the tensors.</summary>
    public void Fill(Func<Weight, Tensor> value) =>
        _gate.Change(() =>
        {
            foreach (Weight weight in _all)
            {
                using IDisposable grad = no_grad();
                weight.Set(value(weight));
            }
        });

    /// <summary>Weights that contain NaN or infinite values: a damaged file, or a training that diverged.</summary>
    /// <returns>Key, number of NaN values and number of infinite values; empty for an intact network.</returns>
    public IEnumerable<(string Key, long NaN, long Infinite)> NotFinite()
    {
        foreach (Weight weight in Trainable.Where(w => w.HasValue))
        {
            using IDisposable grad = no_grad();
            using DisposeScope scope = NewDisposeScope();
            // Summing is one pass without a second tensor; only a sum that is not finite needs a closer look.
            if (double.IsFinite(weight.Value.sum(ScalarType.Float64).item<double>()))
                continue;
            long nan = weight.Value.isnan().sum().item<long>(),
                infinite = weight.Value.isinf().sum().item<long>();
            if (nan + infinite > 0)
                yield return (weight.Key, nan, infinite);
        }
    }

    /// <summary>Floating-point weights, for an optimiser.</summary>
    public IEnumerable<Weight> Trainable => _all.Where(w => w.Init != WeightInit.Range);

    /// <summary>Turns gradients of the floating-point weights on or off. They are off after loading and initialising.</summary>
    public void SetTrainable(bool on)
    {
        foreach (Weight weight in Trainable)
            weight.Value.requires_grad_(on);
    }

    /// <summary>Frees the values; others may be loaded afterwards. Waits for running passes. Does nothing if they were disposed.</summary>
    internal void Clear() => _gate.TryChange(() => Free(forGood: false));

    /// <summary>
    /// Frees the values for good. Waits for passes running in other threads; later passes are refused. A second call does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from within a pass through the network.</exception>
    public void Dispose() => _gate.Close(() => Free(forGood: true));

    private void Free(bool forGood)
    {
        foreach (Weight weight in _all)
            weight.Clear(forGood);
    }

    private static ulong StableHash(string key)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char c in key)
            hash = (hash ^ c) * 0x100000001B3;
        return hash;
    }
}
