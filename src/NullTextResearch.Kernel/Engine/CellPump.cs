using System.Collections.Concurrent;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// Runs the continuations of a cell's awaits on the cells' thread, because libtorch's scopes and grad mode belong to a thread. Each run has its own pump,
/// so that no work of an interrupted cell runs in the next one.
/// </summary>
internal sealed class CellPump : SynchronizationContext, IDisposable
{
    private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _work = [];
    private readonly Thread _owner = Thread.CurrentThread;
    private volatile bool _closed;

    public override void Post(SendOrPostCallback d, object? state)
    {
        // After the cell has ended nobody pumps any more: continuations of a forgotten task run on the pool.
        if (!_closed)
        {
            try
            {
                _work.Add((d, state));
                return;
            }
            catch (InvalidOperationException)
            {
                // Closed between the check and the call.
            }
        }

        ThreadPool.QueueUserWorkItem(_ => d(state));
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Thread.CurrentThread == _owner || _closed)
        {
            d(state);
            return;
        }

        using ManualResetEventSlim done = new();
        Post(
            _ =>
            {
                try
                {
                    d(state);
                }
                finally
                {
                    done.Set();
                }
            },
            null
        );
        done.Wait();
    }

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Pumps until the task is complete.</summary>
    /// <exception cref="OperationCanceledException">The cell is being stopped.</exception>
    public void RunUntil(Task task, CancellationToken stop)
    {
        if (task.IsCompleted)
            return;
        _ = task.ContinueWith(_ => Post(_ => { }, null), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!task.IsCompleted)
        {
            (SendOrPostCallback callback, object? state) = _work.Take(stop);
            callback(state);
        }
    }

    public void Dispose()
    {
        _closed = true;
        _work.CompleteAdding();
        while (_work.TryTake(out (SendOrPostCallback Callback, object? State) left))
            ThreadPool.QueueUserWorkItem(_ => left.Callback(left.State));
    }
}
