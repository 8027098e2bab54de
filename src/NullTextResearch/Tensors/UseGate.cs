namespace NullTextResearch.Tensors;

/// <summary>
/// Counts who works with tensors that somebody else may free: any number of users at a time, and a change or the end waits until they are done.
/// libtorch itself does not: a tensor that is freed while another thread computes with it ends the process.
/// </summary>
/// <remarks>Taken once for a pass through a network (30 to 70 ns), never for a layer.</remarks>
/// <param name="owner">What is used, for messages.</param>
internal sealed class UseGate(string owner)
{
    // A pass may begin inside another of the same thread, also while somebody waits for the end of the outer one.
    private readonly ReaderWriterLockSlim _lock = new(LockRecursionPolicy.SupportsRecursion);
    private volatile bool _closed;

    /// <summary>Begins a use, on this thread, until the lease is disposed; waits while a change is made.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public Lease Use()
    {
        _lock.EnterReadLock();
        if (!_closed)
            return new Lease(_lock);
        _lock.ExitReadLock();
        throw Gone();
    }

    /// <summary>Makes a change with nobody else at work; waits for those who are.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    /// <exception cref="InvalidOperationException">This thread is itself in the middle of a use.</exception>
    public void Change(Action change)
    {
        if (!TryChange(change))
            throw Gone();
    }

    /// <summary>As <see cref="Change"/>; does nothing and gives false where it was closed.</summary>
    public bool TryChange(Action change) => Alone("changed", change);

    /// <summary>Ends every use: waits for those who are at work, frees, and refuses whoever comes later. A second time nothing happens.</summary>
    /// <exception cref="InvalidOperationException">This thread is itself in the middle of a use.</exception>
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

    /// <summary>A value that is there until the end.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public T Alive<T>(T value) => _closed ? throw Gone() : value;

    /// <summary>Throws where this thread is in the middle of a use: waiting for its own end would be for ever.</summary>
    /// <exception cref="InvalidOperationException">It is.</exception>
    public void RefuseWithinUse(string what)
    {
        if (_lock.IsReadLockHeld && !_lock.IsWriteLockHeld)
            throw new InvalidOperationException(
                $"{owner} cannot be {what} by what it calls while it works (a loss, an observer, an attention processor); do it when the call has returned."
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

    private ObjectDisposedException Gone() => new(owner, $"{owner} was disposed; what it held is freed.");

    /// <summary>A use that goes on.</summary>
    internal readonly struct Lease(ReaderWriterLockSlim held) : IDisposable
    {
        /// <summary>Ends it, on the thread that began it.</summary>
        public void Dispose() => held.ExitReadLock();
    }
}
