using System.Text.Json;
using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Wire;

/// <summary>A Jupyter message. Parsed lazily where only bytes matter: a parent's header is echoed as it came.</summary>
internal sealed class Message
{
    private static readonly byte[] Empty = "{}"u8.ToArray();

    /// <summary>Routing frames of a ROUTER socket; the topic on IOPub.</summary>
    public IReadOnlyList<byte[]> Identities { get; init; } = [];
    public required byte[] Header { get; init; }
    public byte[] Parent { get; init; } = Empty;
    public byte[] Metadata { get; init; } = Empty;
    public byte[] Content { get; init; } = Empty;
    public IReadOnlyList<byte[]> Buffers { get; init; } = [];

    /// <summary>The header's msg_type, or "" where there is none.</summary>
    public string Type => HeaderText("msg_type");

    public string Id => HeaderText("msg_id");

    /// <summary>The content as an object; empty where it is anything else.</summary>
    public JsonObject Body => field ??= Parse(Content);

    private JsonObject HeaderObject => field ??= Parse(Header);

    private string HeaderText(string name) => HeaderObject[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private static JsonObject Parse(byte[] utf8)
    {
        try
        {
            return JsonNode.Parse(utf8) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            // A signed message with broken JSON: its sender is at fault; it is answered as a message without content.
            return [];
        }
    }
}
