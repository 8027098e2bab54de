using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>
/// All trainable weights of one or more networks as views of one float32 vector, so that an optimiser step takes a dozen large operations instead of a dozen
/// per weight. The networks keep reading their weights as before.
/// </summary>
internal sealed class FlatParameters : IDisposable
{
    private readonly long[] _counts;

    /// <summary>Moves the weights of initialised networks into <see cref="Values"/>.</summary>
    public FlatParameters(params WeightSet[] sets)
        : this([.. sets.SelectMany(s => s.Trainable)]) { }

    /// <summary>Moves some weights of initialised networks into <see cref="Values"/>.</summary>
    public FlatParameters(IReadOnlyList<Weight> weights)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        _counts = [.. weights.Select(w => w.Count)];
        Values = cat([.. weights.Select(w => w.Value.to(ScalarType.Float32).flatten())]).Keep();
        Leaves = new Tensor[weights.Count];
        long offset = 0;
        for (int i = 0; i < weights.Count; i++)
        {
            weights[i].Set(Values.narrow(0, offset, _counts[i]).view([.. weights[i].Dimensions]).detach());
            Leaves[i] = weights[i].Value.requires_grad_(true);
            offset += _counts[i];
        }
    }

    /// <summary>[n], float32.</summary>
    public Tensor Values { get; }

    /// <summary>The weights, views of <see cref="Values"/> that require gradients; owned by their networks.</summary>
    public Tensor[] Leaves { get; }

    public long Count => Values.shape[0];

    /// <summary>Gradient of a scalar with respect to all weights, written into <paramref name="into"/> [n].</summary>
    public void Gradient(Tensor loss, Tensor into)
    {
        using DisposeScope scope = NewDisposeScope();
        IList<Tensor> parts = autograd.grad([loss], Leaves);
        using IDisposable grad = no_grad();
        into.copy_(cat([.. parts.Select(p => p.flatten())]));
    }

    /// <summary>Runs <paramref name="body"/> with other values instead of the weights, then restores them.</summary>
    public void With(Tensor other, Action body)
    {
        using IDisposable grad = no_grad();
        using Tensor saved = Values.clone();
        try
        {
            Values.copy_(other);
            body();
        }
        finally
        {
            Values.copy_(saved);
        }
    }

    public void Dispose() => Values.Dispose();
}
