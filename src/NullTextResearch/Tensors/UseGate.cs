namespace NullTextResearch.Tensors;

/// <summary>
/// Guards tensors that another thread may free: any number of uses can run at the same time, and a change or a disposal waits until they are done. libtorch
/// itself has no such guard: freeing a tensor while another thread computes with it ends the process.
/// </summary>
/// <remarks>Entered once per pass through a network (30 to 70 ns), never per layer.</remarks>
/// <param name="owner">Name of the guarded object, for messages.</param>
internal sealed class UseGate(string owner)
{
    // A pass may begin inside another on the same thread, even while another thread waits for the outer one to end.
    private readonly ReaderWriterLockSlim _lock = new(LockRecursionPolicy.SupportsRecursion);
    private volatile bool _closed;

    /// <summary>Begins a use, on this thread, until the lease is disposed; waits for a change in progress.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public Lease Use()
    {
        _lock.EnterReadLock();
        if (!_closed)
            return new Lease(_lock);
        _lock.ExitReadLock();
        throw Gone();
    }

    /// <summary>Makes a change exclusively; waits until all uses have ended.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    /// <exception cref="InvalidOperationException">This thread is itself within a use.</exception>
    public void Change(Action change)
    {
        if (!TryChange(change))
            throw Gone();
    }

    /// <summary>As <see cref="Change"/>, but does nothing and returns false if it was closed.</summary>
    public bool TryChange(Action change) => Alone("changed", change);

    /// <summary>Waits until all uses have ended, frees, and rejects later uses. A second call does nothing.</summary>
    /// <exception cref="InvalidOperationException">This thread is itself within a use.</exception>
    public void Close(Action free)
    {
        Alone(
            "disposed",
            () =>
            {
                try
                {
                    free();
                }
                finally
                {
                    _closed = true;
                }
            }
        );
    }

    /// <summary>Returns a value that is valid until the gate is closed.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public T Alive<T>(T value) => _closed ? throw Gone() : value;

    /// <summary>Throws if this thread is within a use: it would wait for itself forever.</summary>
    /// <exception cref="InvalidOperationException">This thread is within a use.</exception>
    public void RefuseWithinUse(string what)
    {
        if (_lock.IsReadLockHeld && !_lock.IsWriteLockHeld)
            throw new InvalidOperationException(
                $"{owner} cannot be {what} by code that it runs (a loss, an observer, an attention processor); do it after the call has returned."
            );
    }

    private bool Alone(string what, Action work)
    {
        if (_closed)
            return false;
        RefuseWithinUse(what);
        _lock.EnterWriteLock();
        try
        {
            if (_closed)
                return false;
            work();
            return true;
        }
        finally
        {
            _lock.ExitWriteLock();
        }
    }

    private ObjectDisposedException Gone() => new(owner, $"{owner} was disposed; its tensors are freed.");

    /// <summary>A use in progress.</summary>
    internal readonly struct Lease(ReaderWriterLockSlim held) : IDisposable
    {
        /// <summary>Ends it, on the thread that began it.</summary>
        public void Dispose() => held.ExitReadLock();
    }
}
