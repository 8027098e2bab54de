using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Names for the few ownership moves that the library makes.</summary>
public static class Lifetime
{
    /// <summary>Runs <paramref name="body"/> in its own dispose scope and hands its one result to the caller's scope.</summary>
    /// <returns>The result, owned by the enclosing dispose scope, or by the caller where there is none.</returns>
    public static Tensor Scoped(Func<Tensor> body)
    {
        using DisposeScope scope = NewDisposeScope();
        return body().MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Scoped(Func{Tensor})"/>, and without recording gradients.</summary>
    public static Tensor WithoutGradient(Func<Tensor> body)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        return body().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The next step of a chain: makes a new tensor from this one and lets go of this one, so that only two links of a chain are there at a time.
    /// </summary>
    /// <param name="tensor">Disposed; under recorded gradients its graph keeps what it needs.</param>
    /// <param name="step">Gives a new tensor, in the current dispose scope; never its input.</param>
    internal static Tensor Then(this Tensor tensor, Func<Tensor, Tensor> step)
    {
        Tensor next = step(tensor);
        tensor.Dispose();
        return next;
    }

    /// <summary>Takes a tensor out of every dispose scope: whoever holds it disposes it.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor Keep(this Tensor tensor) => tensor.DetachFromDisposeScope();

    /// <summary>A detached copy that belongs to no dispose scope: whoever holds it disposes it.</summary>
    public static Tensor Snapshot(this Tensor tensor)
    {
        using IDisposable grad = no_grad();
        using Tensor detached = tensor.detach();
        return detached.clone().DetachFromDisposeScope();
    }
}
