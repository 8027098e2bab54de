using System.Text.Json.Nodes;
using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>What shown elements can talk to: one service per id.</summary>
internal sealed class LiveServices
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveService> _services = new(StringComparer.Ordinal);

    /// <summary>Those of this process: cells and their kernel know no other.</summary>
    public static LiveServices Instance { get; } = new();

    /// <summary>Adds a service; one of the same id ends.</summary>
    public LiveService Add(string id, LiveAnswer answer)
    {
        LiveService service = new(this, id, answer);
        lock (_gate) _services[id] = service;
        return service;
    }

    /// <summary>The service of an id, or null.</summary>
    public LiveService? Find(string id)
    {
        lock (_gate) return _services.GetValueOrDefault(id);
    }

    public void Remove(LiveService service)
    {
        lock (_gate)
        {
            if (_services.GetValueOrDefault(service.Id) == service) _services.Remove(service.Id);
        }
    }
}

/// <summary>Takes messages from any thread; the newest is answered, one at a time.</summary>
internal sealed class LiveService(LiveServices owner, string id, LiveAnswer answer) : IDisposable
{
    private readonly Lock _gate = new();
    private JsonObject? _newest;
    private CancellationTokenSource? _running;

    public string Id => id;

    /// <summary>Keeps a message until it is answered or a newer one comes, and stops the answer that is being made.</summary>
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
            // It has ended in the meantime.
        }
    }

    /// <summary>Answers the newest message; does nothing where it has been answered.</summary>
    /// <param name="send">To the elements.</param>
    /// <param name="stop">Cancelled when the user stops the work.</param>
    public void Answer(Action<JsonObject> send, CancellationToken stop)
    {
        using CancellationTokenSource running = CancellationTokenSource.CreateLinkedTokenSource(stop);
        JsonObject? message;
        lock (_gate)
        {
            (message, _newest) = (_newest, null);
            if (message is null) return;
            _running = running;
        }

        try
        {
            answer(message, send, running.Token);
        }
        catch (OperationCanceledException) when (running.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // A newer message is there, which is answered next.
        }
        finally
        {
            lock (_gate) _running = null;
        }
    }

    public void Dispose() => owner.Remove(this);
}
