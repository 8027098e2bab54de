namespace NullTextResearch.Hosting;

/// <summary>The services that displayed elements can reach, one per id. For kernels; cells call <see cref="INotebookHost.Serve"/>.</summary>
public sealed class LiveServices
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveService> _services = new(StringComparer.Ordinal);

    /// <summary>The single instance of this process, shared by cells and their kernel.</summary>
    public static LiveServices Instance { get; } = new();

    /// <summary>The server for elements whose page has no channel to the kernel; null if the kernel offers none.</summary>
    public LiveServer? Server { get; set; }

    /// <summary>Adds a service; it replaces one with the same id.</summary>
    public LiveService Add(string id, LiveAnswer answer)
    {
        LiveService service = new(this, id, answer);
        lock (_gate)
            _services[id] = service;
        return service;
    }

    /// <summary>The service with this id, or null.</summary>
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
