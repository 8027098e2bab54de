using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Named operations for the few ownership transfers in the library.</summary>
public static class Lifetime
{
    /// <summary>Runs <paramref name="body"/> in its own dispose scope and moves its result to the caller's scope.</summary>
    /// <returns>The result, owned by the enclosing dispose scope, or by the caller if there is none.</returns>
    public static Tensor Scoped(Func<Tensor> body)
    {
        using DisposeScope scope = NewDisposeScope();
        return body().MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Scoped(Func{Tensor})"/>, but without recording gradients.</summary>
    public static Tensor WithoutGradient(Func<Tensor> body)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        return body().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The next step of a chain: computes a new tensor from this one and disposes this one, so that at most two tensors of a chain are alive at a time.
    /// </summary>
    /// <param name="tensor">Disposed; under recorded gradients its graph keeps what it needs.</param>
    /// <param name="step">Returns a new tensor, in the current dispose scope; never its input.</param>
    internal static Tensor Then(this Tensor tensor, Func<Tensor, Tensor> step)
    {
        Tensor next = step(tensor);
        tensor.Dispose();
        return next;
    }

    /// <summary>Takes a tensor out of every dispose scope: its holder must dispose it.</summary>
    /// <returns>The same tensor.</returns>
    public static Tensor Keep(this Tensor tensor) => tensor.DetachFromDisposeScope();

    /// <summary>A detached copy that belongs to no dispose scope: its holder must dispose it.</summary>
    public static Tensor Snapshot(this Tensor tensor)
    {
        using IDisposable grad = no_grad();
        using Tensor detached = tensor.detach();
        return detached.clone().DetachFromDisposeScope();
    }
}
