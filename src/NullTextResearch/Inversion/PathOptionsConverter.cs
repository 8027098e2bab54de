using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Inversion;

/// <summary>Writes a path's options with its id, and reads the options record that the catalogue lists for the id.</summary>
internal sealed class PathOptionsConverter : JsonConverter<PathOptions>
{
    /// <inheritdoc/>
    public override PathOptions Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        JsonElement root = document.RootElement;
        string name = options.PropertyNamingPolicy?.ConvertName(nameof(PathOptions.Id)) ?? nameof(PathOptions.Id);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out JsonElement id) || id.ValueKind != JsonValueKind.String)
            throw new JsonException($"A path needs an '{name}': one of {PathCatalogue.Ids}.");
        PathMethod method =
            PathCatalogue.All.FirstOrDefault(p => p.Id == id.GetString())
            ?? throw new JsonException($"There is no path '{id.GetString()}'; choose one of {PathCatalogue.Ids}.");
        return (PathOptions)(root.Deserialize(method.OptionsType, options) ?? throw new JsonException($"The options of the path '{method.Id}' are null."));
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, PathOptions value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, value, value.GetType(), options);
}
