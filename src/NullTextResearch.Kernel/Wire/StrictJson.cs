using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Wire;

/// <summary>
/// Parses JSON from outside and checks all of it before use: <see cref="JsonNode"/> by itself finds repeated names and invalid text only when the value is
/// read.
/// </summary>
internal static class StrictJson
{
    /// <summary>Deeper than any message or notebook; limited because code that reads a tree recurses.</summary>
    public const int MostDepth = 64;

    private const int MostMessage = 300;

    /// <summary>Parses a value; afterwards every name and every string in it can be read.</summary>
    /// <param name="utf8">The text.</param>
    /// <exception cref="JsonException">
    /// The text is not JSON, is nested too deeply, repeats a name in an object, or has a lone surrogate or invalid UTF-8; the message says where.
    /// </exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            Check(utf8);
            return JsonNode.Parse(utf8, documentOptions: new JsonDocumentOptions { MaxDepth = MostDepth });
        }
        catch (JsonException e)
        {
            // .NET quotes invalid input unchanged, and the message goes into a line of a log or to a terminal.
            throw new JsonException(string.Concat(e.Message.Take(MostMessage).Select(c => char.IsControl(c) ? '?' : c)), e);
        }
    }

    private static void Check(ReadOnlySpan<byte> utf8)
    {
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions { MaxDepth = MostDepth });
        Stack<HashSet<string>> objects = [];
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    objects.Push(new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    objects.Pop();
                    break;
                case JsonTokenType.PropertyName:
                    string name = Text(ref reader, utf8);
                    if (!objects.Peek().Add(name))
                        throw new JsonException($"the name {Shown(name)} appears twice ({Place(utf8, reader.TokenStartIndex)}).");
                    break;
                case JsonTokenType.String:
                    _ = Text(ref reader, utf8);
                    break;
            }
        }
    }

    /// <summary>A text as a JSON string, in ASCII and shortened, so that it cannot control a terminal.</summary>
    public static string Shown(string text) => JsonSerializer.Serialize(text.Length <= 60 ? text : text[..60] + "...");

    /// <summary>A value for a message: as JSON if it is short, else its kind.</summary>
    public static string Brief(JsonNode node) =>
        node switch
        {
            JsonObject => "an object",
            JsonArray => "a list",
            _ => node.ToJsonString() is { Length: <= 60 } text ? text : "a long value",
        };

    private static string Text(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException($"a string is not valid text: a lone surrogate, or bytes that are not UTF-8 ({Place(utf8, reader.TokenStartIndex)}).", e);
        }
    }

    private static string Place(ReadOnlySpan<byte> utf8, long at)
    {
        ReadOnlySpan<byte> before = utf8[..(int)at];
        return string.Create(CultureInfo.InvariantCulture, $"line {before.Count((byte)'\n') + 1}, byte {at - before.LastIndexOf((byte)'\n')}");
    }
}
