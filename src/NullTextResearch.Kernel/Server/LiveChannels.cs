using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Server;

/// <summary>Jupyter's comms of one target. Each belongs to a displayed element that sends requests to a <see cref="LiveService"/>.</summary>
/// <remarks>
/// A message takes effect as soon as it is received, on the sockets' thread: it stops the answer to an older message, which keeps the shell's thread busy.
/// The answer itself waits its turn among the shell's requests.
/// </remarks>
internal sealed class LiveChannels
{
    /// <summary>The target that elements name when they open a comm.</summary>
    public const string Target = "nulltext.live";

    private readonly ConcurrentDictionary<string, LiveService> _open = new(StringComparer.Ordinal);

    /// <summary>The open comms in the form of comm_info_reply.</summary>
    public JsonObject Info()
    {
        JsonObject comms = [];
        foreach (string id in _open.Keys)
            comms[id] = new JsonObject { ["target_name"] = Target };
        return comms;
    }

    /// <summary>
    /// Handles a message as soon as it is received if it opens a comm or belongs to an open one. An unknown target or service opens nothing.
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

    /// <summary>The service of a message's comm, or null if the comm is not open.</summary>
    public LiveService? Find(JsonObject body) => Text(body, "comm_id") is { } comm ? _open.GetValueOrDefault(comm) : null;

    /// <summary>The open comms of a service; what the service sends goes to all of them.</summary>
    public IReadOnlyList<string> Of(LiveService service) => [.. _open.Where(o => o.Value == service).Select(o => o.Key)];

    /// <summary>Closes a comm.</summary>
    public void Close(JsonObject body)
    {
        if (Text(body, "comm_id") is { } comm)
            _open.TryRemove(comm, out _);
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
