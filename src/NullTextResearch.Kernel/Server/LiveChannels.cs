using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Server;

/// <summary>Jupyter's comms of one target: each belongs to a shown element that asks a <see cref="LiveService"/>.</summary>
/// <remarks>
/// A message counts from the moment it is received, on the sockets' thread: it stops the answer to an older one, which keeps the shell's thread busy.
/// The answer itself has its turn among the shell's requests.
/// </remarks>
internal sealed class LiveChannels
{
    /// <summary>The target that elements name when they open a comm.</summary>
    public const string Target = "nulltext.live";

    private readonly ConcurrentDictionary<string, LiveService> _open = new(StringComparer.Ordinal);

    /// <summary>The open comms, as comm_info_reply has them.</summary>
    public JsonObject Info()
    {
        JsonObject comms = [];
        foreach (string id in _open.Keys)
            comms[id] = new JsonObject { ["target_name"] = Target };
        return comms;
    }

    /// <summary>
    /// Notes a message as soon as it is received: one that opens a comm, or one on a comm that is open. A target or service that is not known opens
    /// nothing.
    /// </summary>
    public void Receive(Message message)
    {
        if (message.Fault is not null || message.Body["data"] is not JsonObject data)
            return;
        switch (message.Type)
        {
            case "comm_open" when Text(message.Body, "target_name") == Target && Text(message.Body, "comm_id") is { } comm && Text(data, "id") is { } id:
                if (LiveServices.Instance.Find(id) is { } found)
                    _open[comm] = found;
                break;
            case "comm_msg":
                Find(message.Body)?.Post((JsonObject)data.DeepClone());
                break;
        }
    }

    /// <summary>The service of a message's comm, or null where it is not open.</summary>
    public LiveService? Find(JsonObject body) => Text(body, "comm_id") is { } comm ? _open.GetValueOrDefault(comm) : null;

    /// <summary>The comms of a service: what is sent goes to each.</summary>
    public IReadOnlyList<string> Of(LiveService service) => [.. _open.Where(o => o.Value == service).Select(o => o.Key)];

    /// <summary>Closes a comm.</summary>
    public void Close(JsonObject body)
    {
        if (Text(body, "comm_id") is { } comm)
            _open.TryRemove(comm, out _);
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
