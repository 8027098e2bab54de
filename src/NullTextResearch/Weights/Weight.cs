using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>One declared parameter of a network.</summary>
public sealed class Weight
{
    private Tensor? _value;
    private bool _isGone;

    internal Weight(string key, long[] shape, WeightInit init)
    {
        Key = key;
        Dimensions = shape;
        Init = init;
    }

    /// <summary>State-dict key, equal to the one diffusers or transformers uses.</summary>
    public string Key { get; }

    /// <summary>Shape.</summary>
    public IReadOnlyList<long> Dimensions { get; }

    /// <summary>How it is initialised if it is not loaded.</summary>
    public WeightInit Init { get; }

    /// <summary>Fan-in bound used by <see cref="WeightInit.FanIn"/>; biases have that of their layer.</summary>
    internal long FanIn { get; init; }

    /// <summary>Number of elements.</summary>
    public long Count => Dimensions.Aggregate(1L, (a, b) => a * b);

    /// <summary>True once it has a value.</summary>
    public bool HasValue => _value is not null;

    /// <summary>
    /// The tensor, owned by the network. Read it again after any move or load, and not while another thread moves, loads or disposes the network.
    /// </summary>
    /// <exception cref="InvalidOperationException">The network was built but neither loaded nor initialised.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public Tensor Value =>
        _value
        ?? throw (
            _isGone
                ? new ObjectDisposedException(Key, $"Weight '{Key}' is gone: its network was disposed.")
                : new InvalidOperationException($"Weight '{Key}' has no value yet: load a checkpoint or call Initialise first.")
        );

    internal void Set(Tensor value)
    {
        if (!value.shape.SequenceEqual(Dimensions))
            throw new ShapeMismatchException(Key, Dimensions, value.shape);
        Tensor kept = value.DetachFromDisposeScope();
        if (!ReferenceEquals(kept, _value))
            _value?.Dispose();
        _value = kept;
    }

    internal void Clear(bool forGood)
    {
        _isGone |= forGood;
        _value?.Dispose();
        _value = null;
    }
}
