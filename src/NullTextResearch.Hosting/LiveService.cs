using System.Text.Json.Nodes;

namespace NullTextResearch.Hosting;

/// <summary>Accepts messages from any thread and answers the newest, one at a time.</summary>
public sealed class LiveService : ILiveService
{
    private readonly Lock _gate = new();
    private readonly LiveServices _owner;
    private readonly LiveAnswer _answer;
    private JsonObject? _newest;
    private CancellationTokenSource? _running;

    internal LiveService(LiveServices owner, string id, LiveAnswer answer) => (_owner, Id, _answer) = (owner, id, answer);

    /// <summary>The id that elements send.</summary>
    public string Id { get; }

    /// <inheritdoc/>
    public Uri? Address => _owner.Server?.AddressOf(this);

    /// <summary>Keeps a message until it is answered or a newer one arrives, and cancels the answer in progress.</summary>
    public void Post(JsonObject message)
    {
        CancellationTokenSource? running;
        lock (_gate)
        {
            _newest = message;
            running = _running;
        }

        try
        {
            running?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer has ended in the meantime.
        }
    }

    /// <summary>Answers the newest message; does nothing if it was already answered.</summary>
    /// <param name="send">Sends to the elements.</param>
    /// <param name="stop">Cancelled when the user stops the work.</param>
    public void Answer(Action<JsonObject> send, CancellationToken stop)
    {
        using CancellationTokenSource running = CancellationTokenSource.CreateLinkedTokenSource(stop);
        JsonObject? message;
        lock (_gate)
        {
            (message, _newest) = (_newest, null);
            if (message is null)
                return;
            _running = running;
        }

        try
        {
            _answer(message, send, running.Token);
        }
        catch (OperationCanceledException) when (running.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // A newer message has arrived; it is answered next.
        }
        finally
        {
            lock (_gate)
                _running = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owner.Remove(this);
}
