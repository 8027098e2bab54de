using System.Runtime.ExceptionServices;
using TorchSharp;

namespace NullTextResearch.Training;

/// <summary>
/// A few threads with one libtorch thread each, among which numbered jobs are divided. On a busy machine, data parallelism over small batches is faster than
/// libtorch's own threads: no thread waits at a barrier inside every operation for a core that is occupied.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim _start = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private Action<int, int>? _body;
    private int _jobs;
    private int _next;
    private ExceptionDispatchInfo? _failure;
    private volatile bool _stop;

    public WorkerPool(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        _threads = new Thread[workers];
        for (int i = 0; i < workers; i++)
        {
            int worker = i;
            _threads[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"training worker {i}" };
            _threads[i].Start();
        }
    }

    public int Workers => _threads.Length;

    /// <summary>Runs <paramref name="body"/>(worker, job) for every job and returns when all are done; the first failure is rethrown here.</summary>
    public void Run(int jobs, Action<int, int> body)
    {
        _body = body;
        _jobs = jobs;
        _next = 0;
        _failure = null;
        _start.Release(_threads.Length);
        for (int i = 0; i < _threads.Length; i++)
            _done.Wait();
        _failure?.Throw();
    }

    public void Dispose()
    {
        _stop = true;
        _start.Release(_threads.Length);
        foreach (Thread thread in _threads)
            thread.Join();
        _start.Dispose();
        _done.Dispose();
    }

    private void Work(int worker)
    {
        Native.PrepareThread();
        torch.set_num_threads(1);
        while (true)
        {
            _start.Wait();
            if (_stop)
                return;
            try
            {
                for (int job = Interlocked.Increment(ref _next) - 1; job < _jobs && _failure is null; job = Interlocked.Increment(ref _next) - 1)
                    _body!(worker, job);
            }
            catch (Exception e)
            {
                // Stored for Run, which rethrows it to the caller.
                Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(e), null);
            }

            _done.Release();
        }
    }
}
