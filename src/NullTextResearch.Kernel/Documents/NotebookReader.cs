using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Documents;

/// <summary>Reads values of a notebook's JSON; what is of another kind than the format says is refused with file and place.</summary>
/// <param name="path">The file, for messages.</param>
internal sealed class NotebookReader(string path)
{
    /// <summary>The value of a text of JSON.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">Where it stands; empty for the whole file.</param>
    /// <exception cref="NotebookFormatException">It is no JSON, nested too deeply, or has a name twice or text that is none.</exception>
    public JsonNode? Parse(string json, string place)
    {
        try
        {
            return StrictJson.Parse(Encoding.UTF8.GetBytes(json));
        }
        catch (JsonException e)
        {
            throw new NotebookFormatException(place.Length == 0 ? $"{path} is not a notebook: {e.Message}" : $"{path}: {place}: {e.Message}", e);
        }
    }

    /// <summary>An object; a new one where it is missing or null.</summary>
    public JsonObject Object(JsonNode? node, string place) => node is null ? [] : node as JsonObject ?? throw Wrong(place, "an object", node);

    /// <summary>A list; a new one where it is missing or null.</summary>
    public JsonArray List(JsonNode? node, string place) => node is null ? [] : node as JsonArray ?? throw Wrong(place, "a list", node);

    /// <summary>A text, or null where it is missing.</summary>
    public string? Text(JsonNode? node, string place) =>
        node switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out string? text) => text,
            _ => throw Wrong(place, "a text", node),
        };

    /// <summary>A text that may be a list of its lines; empty where it is missing.</summary>
    public string Lines(JsonNode? node, string place) =>
        node is JsonArray lines ? string.Concat(lines.Select((line, i) => Text(line, $"{place}, line {i + 1}"))) : Text(node, place) ?? "";

    /// <summary>A whole number, or null where it is missing.</summary>
    public int? Number(JsonNode? node, string place) =>
        node switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out int number) => number,
            _ => throw Wrong(place, "a whole number", node),
        };

    /// <summary>A complaint.</summary>
    public NotebookFormatException Fault(string text) => new($"{path}: {text}");

    private NotebookFormatException Wrong(string place, string expected, JsonNode node) => Fault($"{place} is {StrictJson.Brief(node)}; expected {expected}.");
}
