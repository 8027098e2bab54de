using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Wire;

/// <summary>Converts messages to frames and back: delimiter, signature, headers. One per session; used by one thread at a time.</summary>
internal sealed class WireProtocol(string key)
{
    public const string Version = "5.3";

    // Routing, delimiter, signature, four parts, and buffers, which this kernel does not use.
    private const int MostFrames = 100;

    // Like Jupyter's own digest history: enough to recognise a replayed message, but bounded.
    private const int Remembered = 65536;

    private static readonly byte[] Delimiter = "<IDS|MSG>"u8.ToArray();
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] _key = Encoding.UTF8.GetBytes(key);
    private readonly HashSet<string> _seen = [];
    private readonly Queue<string> _seenOrder = new();

    /// <summary>This kernel's session, in every header it writes.</summary>
    public string Session { get; } = Guid.NewGuid().ToString();

    /// <summary>Hex HMAC-SHA256 over the four parts; empty if the session has no key.</summary>
    public string Sign(params IReadOnlyList<byte[]> parts)
    {
        if (_key.Length == 0)
            return "";
        using IncrementalHash hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        foreach (byte[] part in parts)
            hmac.AppendData(part);
        return Convert.ToHexStringLower(hmac.GetHashAndReset());
    }

    /// <summary>
    /// Converts frames to a message; null, with a reason, if it must not be trusted or cannot be answered. Faults outside the header are in
    /// <see cref="Message.Fault"/>.
    /// </summary>
    public Message? Parse(IReadOnlyList<byte[]> frames, out string? refusal)
    {
        if (frames.Count > MostFrames)
        {
            refusal = $"{frames.Count} frames; a message has at most {MostFrames}";
            return null;
        }

        int at = 0;
        while (at < frames.Count && !frames[at].AsSpan().SequenceEqual(Delimiter))
            at++;
        if (frames.Count - at < 6)
        {
            refusal = at == frames.Count ? "no delimiter" : "too few frames";
            return null;
        }

        (byte[] header, byte[] parent, byte[] metadata, byte[] content) = (frames[at + 2], frames[at + 3], frames[at + 4], frames[at + 5]);
        if (_key.Length > 0)
        {
            string expected = Sign(header, parent, metadata, content);
            // In constant time: the duration must not reveal how much of a wrong signature was right.
            if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), frames[at + 1]))
            {
                refusal = "wrong signature";
                return null;
            }

            if (!_seen.Add(expected))
            {
                refusal = "repeated signature";
                return null;
            }

            _seenOrder.Enqueue(expected);
            if (_seenOrder.Count > Remembered)
                _seen.Remove(_seenOrder.Dequeue());
        }

        try
        {
            Message message = Message.Read([.. frames.Take(at)], header, parent, metadata, content, [.. frames.Skip(at + 6)]);
            refusal = null;
            return message;
        }
        catch (JsonException e)
        {
            refusal = e.Message;
            return null;
        }
    }

    /// <summary>A new message of this session.</summary>
    public Message Create(string type, JsonObject content, Message? parent, IReadOnlyList<byte[]>? identities = null, JsonObject? metadata = null) =>
        new()
        {
            Identities = identities ?? [],
            Header = Bytes(
                new JsonObject
                {
                    ["msg_id"] = Guid.NewGuid().ToString(),
                    ["session"] = Session,
                    ["username"] = "kernel",
                    ["date"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
                    ["msg_type"] = type,
                    ["version"] = Version,
                }
            ),
            // Exactly the bytes received: the client compares them with what it sent.
            Parent = parent?.Header ?? "{}"u8.ToArray(),
            Metadata = metadata is null ? "{}"u8.ToArray() : Bytes(metadata),
            Content = Bytes(content),
        };

    /// <summary>Converts a message to signed frames.</summary>
    public IReadOnlyList<byte[]> ToFrames(Message message) =>
        [
            .. message.Identities,
            Delimiter,
            Encoding.ASCII.GetBytes(Sign(message.Header, message.Parent, message.Metadata, message.Content)),
            message.Header,
            message.Parent,
            message.Metadata,
            message.Content,
            .. message.Buffers,
        ];

    private static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Plain);
}
