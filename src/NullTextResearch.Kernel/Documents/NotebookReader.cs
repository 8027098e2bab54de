using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Documents;

/// <summary>Reads values of a notebook's JSON. A value of the wrong type throws; the message names file and position.</summary>
/// <param name="path">Path of the file, for messages.</param>
internal sealed class NotebookReader(string path)
{
    /// <summary>Parses JSON text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">Its position in the file; empty for the whole file.</param>
    /// <exception cref="NotebookFormatException">
    /// The text is not JSON, is nested too deeply, repeats a name in an object, or has a string that is not valid Unicode.
    /// </exception>
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

    /// <summary>An object; a new, empty one if it is missing or null.</summary>
    public JsonObject Object(JsonNode? node, string place) => node is null ? [] : node as JsonObject ?? throw Wrong(place, "an object", node);

    /// <summary>A list; a new, empty one if it is missing or null.</summary>
    public JsonArray List(JsonNode? node, string place) => node is null ? [] : node as JsonArray ?? throw Wrong(place, "a list", node);

    /// <summary>A string, or null if it is missing.</summary>
    public string? Text(JsonNode? node, string place) =>
        node switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out string? text) => text,
            _ => throw Wrong(place, "a string", node),
        };

    /// <summary>A string, or a list of lines to join; empty if it is missing.</summary>
    public string Lines(JsonNode? node, string place) =>
        node is JsonArray lines ? string.Concat(lines.Select((line, i) => Text(line, $"{place}, line {i + 1}"))) : Text(node, place) ?? "";

    /// <summary>A whole number, or null if it is missing.</summary>
    public int? Number(JsonNode? node, string place) =>
        node switch
        {
            null => null,
            JsonValue value when value.TryGetValue(out int number) => number,
            _ => throw Wrong(place, "a whole number", node),
        };

    /// <summary>An exception whose message begins with the file.</summary>
    public NotebookFormatException Fault(string text) => new($"{path}: {text}");

    private NotebookFormatException Wrong(string place, string expected, JsonNode node) => Fault($"{place} is {StrictJson.Brief(node)}; expected {expected}.");
}
