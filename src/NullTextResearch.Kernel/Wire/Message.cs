using System.Text.Json;
using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Wire;

/// <summary>A Jupyter message. The bytes are kept, because a parent's header is echoed unchanged.</summary>
internal sealed class Message
{
    // A header has six short fields; it is sent back with every answer.
    private const int MostHeaderBytes = 1 << 16;
    private const int MostTypeLength = 100;

    private static readonly byte[] Empty = "{}"u8.ToArray();

    /// <summary>Routing frames of a ROUTER socket; the topic on IOPub.</summary>
    public IReadOnlyList<byte[]> Identities { get; init; } = [];
    public required byte[] Header { get; init; }
    public byte[] Parent { get; init; } = Empty;
    public byte[] Metadata { get; init; } = Empty;
    public byte[] Content { get; init; } = Empty;
    public IReadOnlyList<byte[]> Buffers { get; init; } = [];

    /// <summary>The header's msg_type: letters, digits, '_', '.' and '-'.</summary>
    public string Type { get; private init; } = "";

    /// <summary>The content.</summary>
    public JsonObject Body { get; private init; } = [];

    /// <summary>What is wrong with the message outside its header, so that it can still be answered; null if nothing.</summary>
    public string? Fault { get; private init; }

    /// <summary>Parses a received message completely.</summary>
    /// <exception cref="JsonException">The header is unusable, so no answer is possible.</exception>
    public static Message Read(IReadOnlyList<byte[]> identities, byte[] header, byte[] parent, byte[] metadata, byte[] content, IReadOnlyList<byte[]> buffers)
    {
        if (header.Length > MostHeaderBytes)
            throw new JsonException($"the header has {header.Length} bytes, at most {MostHeaderBytes} are read.");
        if (StrictJson.Parse(header) is not JsonObject fields)
            throw new JsonException("the header is not an object.");
        if (
            fields["msg_type"] is not JsonValue value
            || !value.TryGetValue(out string? type)
            || type.Length is 0 or > MostTypeLength
            || !type.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')
        )
            throw new JsonException("the header has no valid msg_type.");
        JsonObject body = [];
        string? fault = null;
        string part = "";
        try
        {
            // These two are not used here, but a message that is damaged anywhere is refused.
            part = "parent_header";
            StrictJson.Parse(parent);
            part = "metadata";
            StrictJson.Parse(metadata);
            part = "content";
            body = StrictJson.Parse(content) as JsonObject ?? throw new JsonException("an object was expected.");
        }
        catch (JsonException e)
        {
            fault = $"{part}: {e.Message}";
        }

        return new Message
        {
            Identities = identities,
            Header = header,
            Parent = parent,
            Metadata = metadata,
            Content = content,
            Buffers = buffers,
            Type = type,
            Body = body,
            Fault = fault,
        };
    }
}
