using System.Runtime;
using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// One run of one cell: where its output goes and how it is stopped. It flows with the cell's tasks, so that their output still goes to this cell after it
/// has ended.
/// </summary>
/// <remarks>
/// A stop reaches the cell through the token if it reads it; else by an exception at its next <see cref="Checkpoint"/> or output, or in its sleep or wait.
/// Only a second stop ends the thread by force, which the process may not survive. User threads may thus be aborted inside this class. Critical parts are
/// therefore in finally blocks, which an abort does not enter: no lock is left held and no buffer half changed.
/// </remarks>
internal sealed class CellContext : IDisposable
{
    private static readonly AsyncLocal<CellContext?> Flowing = new();
    private static CellContext? _latest;

    private static readonly TimeSpan Coalesce = TimeSpan.FromMilliseconds(50);

    // Time for finally blocks to run. After it every checkpoint throws, so that a catch-all does not keep a loop alive.
    private static readonly TimeSpan CleanUp = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private readonly Action<CellOutput> _sink;
    private readonly Timer _flush;
    private readonly Dictionary<string, DisplayHandle> _pending = [];
    private readonly EngineOptions _options;
    private readonly CancellationTokenSource _cancel = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly CancellationTokenSource _insist = new();
    private bool _isElsewhere;
    private bool _textIsError;
    private bool _flushArmed;
    private long _streamed;
    private long _textSince;
    private long _dropped;
    private volatile bool _tokenRead;
    private Thread? _thread;
    private bool _mayWake;
    private volatile bool _interrupted;
    private long? _thrownAt;
    private DateTime? _asked;
    private DateTime? _stopping;
    private DateTime? _forced;

    // A clock that does not jump when the system's is set; its zero has no meaning.
    private static DateTime Now => DateTime.UnixEpoch.AddMilliseconds(Environment.TickCount64);

    public CellContext(CellRequest request, EngineOptions options, Action<CellOutput> sink)
    {
        Request = request;
        _options = options;
        _sink = sink;
        _flush = new Timer(_ => FlushLate());
    }

    /// <summary>The cell this code belongs to; the latest one if that is unknown (on a library's own thread).</summary>
    public static CellContext? Current => Flowing.Value ?? Volatile.Read(ref _latest);

    /// <summary>The cell this code belongs to, or null if unknown.</summary>
    public static CellContext? OfThisFlow => Flowing.Value;

    public CellRequest Request { get; }

    /// <summary>Folders of notebooks being imported, innermost last: relative paths are looked up there too.</summary>
    public Stack<string> Importing { get; } = new();

    /// <summary>The last value shown as result.</summary>
    public ResultOutput? Result { get; private set; }

    /// <summary>Whether the cell's thread is being stopped, or was stopped.</summary>
    public bool IsStopped => _stop.IsCancellationRequested;

    /// <summary>Whether its thread was ended by force.</summary>
    public bool IsForced => _abort.IsCancellationRequested;

    /// <summary>True from the first interrupt on, before anything is stopped.</summary>
    public bool IsInterrupted => _interrupted;

    /// <summary>The token for our own waits and for the compiler.</summary>
    public CancellationToken Cancel => _cancel.Token;

    /// <summary>The token for the cell; reading it shows that the cell listens.</summary>
    public CancellationToken CancelSeenByCell
    {
        get
        {
            _tokenRead = true;
            return _cancel.Token;
        }
    }

    /// <summary>Cancelled when the cell's thread is being stopped.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Makes this the current cell of the calling thread.</summary>
    public void Enter()
    {
        Flowing.Value = this;
        Volatile.Write(ref _latest, this);
    }

    public static void Leave() => Flowing.Value = null;

    /// <summary>Runs the cell's code on this thread so that it can be stopped: ends early when the cell is interrupted.</summary>
    /// <param name="code">The code.</param>
    /// <param name="mayWake">
    /// False: a compiler runs first, whose locks and waits must not be broken; the cell's own code then begins with <see cref="Checkpoint.Begin"/>.
    /// </param>
    public void RunStoppable(Action code, bool mayWake = true)
    {
        lock (_gate)
        {
            // Stopped during compilation, or in an earlier part.
            if (_stopping is not null)
                throw new OperationCanceledException("Interrupted", _cancel.Token);
            _thread = Thread.CurrentThread;
            _mayWake = mayWake;
        }

        try
        {
            ControlledExecution.Run(code, _abort.Token);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>
    /// Waits on this thread for another process, which has its own way to stop. Interrupts only cancel tokens: the first one cancels <see cref="Cancel"/>;
    /// one that comes at least a second later cancels the token passed to <paramref name="wait"/>.
    /// </summary>
    public void RunElsewhere(Action<CancellationToken> wait)
    {
        lock (_gate)
        {
            if (_interrupted)
                throw new OperationCanceledException("Interrupted", _cancel.Token);
            _isElsewhere = true;
        }

        try
        {
            wait(_insist.Token);
        }
        finally
        {
            lock (_gate)
                _isElsewhere = false;
        }
    }

    // After this nobody wakes the thread any more: a wake-up meant for the cell must not hit the kernel's own next wait.
    private void Release()
    {
        while (true)
        {
            try
            {
                lock (_gate)
                {
                    _thread = null;
                    if (_stopping is null)
                        return;
                }

                Checkpoint.Open(this);
                Thread.Sleep(1);
                if (!_abort.IsCancellationRequested)
                    return;
                // An abort can leave the console's own lock held by this thread, and every other thread would wait forever.
                foreach (object console in (object[])[Console.Out, Console.Error, Console.In])
                {
                    while (Monitor.IsEntered(console))
                        Monitor.Exit(console);
                }

                return;
            }
            catch (ThreadInterruptedException)
            {
                // A wake-up that was still pending.
            }
        }
    }

    /// <summary>Escalates with each call: first the token, if the cell reads it; then checkpoints; then force; then nothing is left to try.</summary>
    public InterruptEffect Interrupt()
    {
        DateTime now = Now;
        TimeSpan impatience = TimeSpan.FromSeconds(1);
        bool stopNow;
        lock (_gate)
        {
            if (_isElsewhere)
            {
                CancellationTokenSource which = _asked is null ? _cancel : _insist;
                if (which == _insist && now - _asked <= impatience)
                    return InterruptEffect.Asked;
                _asked ??= now;
                _interrupted = true;
                // On its own thread: its callbacks talk to the other process.
                new Thread(() => CancelToken(which)) { Name = "Interrupt", IsBackground = true }.Start();
                return InterruptEffect.Asked;
            }

            if (_forced is { } forced)
                return now - forced > impatience ? InterruptEffect.Hopeless : InterruptEffect.Forcing;
            if (_stopping is { } since)
            {
                if (now - since <= impatience)
                    return InterruptEffect.Stopping;
                _forced = now;
                // Cancel returns only when the thread has stopped.
                new Thread(_abort.Cancel) { Name = "Abort", IsBackground = true }.Start();
                return InterruptEffect.Forcing;
            }

            stopNow = !_tokenRead || _asked is not null;
            _asked ??= now;
            _interrupted = true;
            if (stopNow)
                _stopping = now;
        }

        // Callbacks of the token are user code: they must not run under the lock or on the sockets' thread. They get their own thread, because the cell may
        // be keeping the pool busy.
        new Thread(() => Stop(stopNow)) { Name = "Interrupt", IsBackground = true }.Start();
        return stopNow ? InterruptEffect.Stopping : InterruptEffect.Asked;
    }

    public void Write(bool isError, ReadOnlySpan<char> text)
    {
        StopHere();
        if (text.IsEmpty)
            return;
        try { }
        finally
        {
            lock (_gate)
            {
                if (_text.Length > 0 && _textIsError != isError)
                    FlushText();
                _textIsError = isError;
                int room = (int)Math.Min(text.Length, Math.Max(0, _options.StreamLimit - _streamed));
                _streamed += room;
                _text.Append(text[..room]);
                if (room < text.Length)
                {
                    if (_dropped == 0)
                        _text.Append(
                            FormattableString.Invariant(
                                $"\n... this cell has written {_options.StreamLimit:N0} characters; further text is dropped (write it to a file).\n"
                            )
                        );
                    _dropped += text.Length - room;
                }

                long now = Environment.TickCount64;
                if (!_flushArmed)
                    _textSince = now;
                // The timer needs a free pool thread; a busy cell may leave none.
                if (_text.Length > 64 * 1024 || now - _textSince > 2 * Coalesce.TotalMilliseconds)
                {
                    FlushText();
                    _textSince = now;
                }

                Arm(Coalesce);
            }
        }
    }

    /// <summary>Sends an output after all text written before it.</summary>
    public void Send(CellOutput output)
    {
        try { }
        finally
        {
            lock (_gate)
            {
                FlushText();
                if (output is ResultOutput result)
                    Result = result;
                _sink(output);
            }
        }
    }

    public DisplayHandle Display(object? value, IReadOnlyList<string> mimeTypes)
    {
        StopHere();
        (JsonObject data, JsonObject metadata) = ValueFormatter.Format(value, mimeTypes);
        DisplayHandle handle = new(this, mimeTypes);
        Send(new DisplayOutput(data, metadata, handle.Id, false));
        return handle;
    }

    /// <summary>Sends an update, at most one per <see cref="EngineOptions.UpdateInterval"/>; the last one is never lost.</summary>
    public void Update(DisplayHandle handle, DisplayOutput output)
    {
        StopHere();
        try { }
        finally
        {
            lock (_gate)
            {
                handle.Latest = output;
                TimeSpan wait = handle.Sent + _options.UpdateInterval - Now;
                if (wait <= TimeSpan.Zero)
                {
                    _pending.Remove(handle.Id);
                    SendUpdate(handle);
                }
                else
                {
                    _pending[handle.Id] = handle;
                    Arm(wait < Coalesce ? Coalesce : wait);
                }
            }
        }
    }

    /// <summary>Sends all pending output: a front end assumes that nothing comes after the reply.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_dropped > 0)
            {
                _text.Append(FormattableString.Invariant($"... {_dropped:N0} characters were dropped.\n"));
                _dropped = 0;
            }

            FlushText();
            foreach (DisplayHandle handle in _pending.Values)
                SendUpdate(handle);
            _pending.Clear();
        }
    }

    public void Dispose()
    {
        Flush();
        // Tasks that outlive the cell must find neither a disposed token nor a cell to abort.
        lock (_gate)
            _stopping ??= DateTime.MaxValue;
    }

    private void CancelToken(CancellationTokenSource token)
    {
        try
        {
            token.Cancel();
        }
        catch (AggregateException e)
        {
            Write(true, $"A callback of the cell's cancellation token failed: {e.InnerException?.Message}\n");
        }
    }

    private void Stop(bool stopNow)
    {
        CancelToken(_cancel);
        if (!stopNow)
        {
            Thread.Sleep(_options.Grace);
            lock (_gate)
            {
                if (_stopping is not null)
                    return;
                _stopping = Now;
            }
        }

        lock (_gate)
        {
            if (_thread is null)
                return;
            Checkpoint.Close(this);
        }

        _stop.Cancel();
        long start = Environment.TickCount64;
        bool told = false;
        while (true)
        {
            // Wakes it from a sleep or wait.
            Thread.Sleep(30);
            lock (_gate)
            {
                if (_thread is null)
                    return;
                if (_mayWake)
                    _thread.Interrupt();
            }

            if (told || Environment.TickCount64 - start < _options.Patience.TotalMilliseconds)
                continue;
            told = true;
            Write(
                true,
                "The cell does not stop: it is inside a library or native code. Wait for the call to end, or interrupt once more to end it by force; the "
                    + "kernel may not survive that (all variables are then lost).\n"
            );
        }
    }

    /// <summary>From now on the cell's thread may be woken from sleeps and waits.</summary>
    public void AllowWaking()
    {
        lock (_gate)
            _mayWake = true;
    }

    /// <summary>Ends the cell if this is its thread.</summary>
    public void StopAtCheckpoint()
    {
        if (Thread.CurrentThread != _thread)
            return;
        long now = Environment.TickCount64;
        if (_thrownAt is not { } since)
            _thrownAt = now;
        else if (now - since < CleanUp.TotalMilliseconds)
            return;
        throw new OperationCanceledException("Interrupted", _cancel.Token);
    }

    // Throws once per interrupt, on the cell's own thread, so that later output of a finally block gets through.
    private void StopHere()
    {
        if (_stopping is not null && _thrownAt is null)
            StopAtCheckpoint();
    }

    private void Arm(TimeSpan delay)
    {
        if (_flushArmed)
            return;
        _flushArmed = true;
        _flush.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void FlushLate()
    {
        lock (_gate)
        {
            _flushArmed = false;
            FlushText();
            DateTime now = Now;
            foreach (DisplayHandle handle in (DisplayHandle[])[.. _pending.Values])
            {
                if (handle.Sent + _options.UpdateInterval > now)
                    continue;
                _pending.Remove(handle.Id);
                SendUpdate(handle);
            }

            if (_pending.Count > 0)
                Arm(Coalesce);
        }
    }

    private void FlushText()
    {
        if (_text.Length == 0)
            return;
        string text = _text.ToString();
        _text.Clear();
        _sink(new StreamOutput(_textIsError, text));
    }

    private void SendUpdate(DisplayHandle handle)
    {
        FlushText();
        handle.Sent = Now;
        _sink(handle.Latest!);
    }
}

/// <summary>A displayed value that can be replaced. It belongs to the cell that showed it, even if a later cell updates it.</summary>
internal sealed class DisplayHandle(CellContext cell, IReadOnlyList<string> mimeTypes) : IDisplayHandle
{
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>When the last update was sent; the first may follow the display at once.</summary>
    internal DateTime Sent { get; set; }

    internal DisplayOutput? Latest { get; set; }

    public void Update(object? value)
    {
        (JsonObject data, JsonObject metadata) = ValueFormatter.Format(value, mimeTypes);
        cell.Update(this, new DisplayOutput(data, metadata, Id, true));
    }

    public override string ToString() => $"display {Id}";
}
