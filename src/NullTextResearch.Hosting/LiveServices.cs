namespace NullTextResearch.Hosting;

/// <summary>What shown elements can talk to: one service per id. For kernels; cells call <see cref="INotebookHost.Serve"/>.</summary>
public sealed class LiveServices
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveService> _services = new(StringComparer.Ordinal);

    /// <summary>Those of this process: cells and their kernel know no other.</summary>
    public static LiveServices Instance { get; } = new();

    /// <summary>Where elements reach the services whose page has no channel of its own; null where the kernel offers none.</summary>
    public LiveServer? Server { get; set; }

    /// <summary>Adds a service; one of the same id ends.</summary>
    public LiveService Add(string id, LiveAnswer answer)
    {
        LiveService service = new(this, id, answer);
        lock (_gate)
            _services[id] = service;
        return service;
    }

    /// <summary>The service of an id, or null.</summary>
    public LiveService? Find(string id)
    {
        lock (_gate)
            return _services.GetValueOrDefault(id);
    }

    internal void Remove(LiveService service)
    {
        lock (_gate)
        {
            if (_services.GetValueOrDefault(service.Id) == service)
                _services.Remove(service.Id);
        }
    }
}
