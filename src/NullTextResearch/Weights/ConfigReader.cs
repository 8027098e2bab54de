using System.Text.Json;

namespace NullTextResearch.Weights;

/// <summary>A model folder's file is missing, unreadable or says something this library does not support.</summary>
public sealed class ModelFormatException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ModelFormatException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>Reads one <c>config.json</c> of a diffusers-format model folder, naming file and field in every complaint.</summary>
public sealed class ConfigReader
{
    private readonly string _source;
    private readonly JsonElement _root;

    /// <summary>Wraps an already parsed object.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="source">File name used in messages.</param>
    public ConfigReader(JsonElement root, string source)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new ModelFormatException($"{source}: expected a JSON object, found {root.ValueKind}.");
        _root = root;
        _source = source;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelFormatException">The file is missing or is no JSON object.</exception>
    public static ConfigReader FromFile(string path)
    {
        if (!File.Exists(path)) throw new ModelFormatException($"Missing file: {path}. A diffusers-format model folder has one config.json per part.");
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return new ConfigReader(document.RootElement.Clone(), path);
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{path}: not valid JSON ({e.Message})", e);
        }
    }

    /// <summary>True if the field is there and not null.</summary>
    public bool Has(string name) => _root.TryGetProperty(name, out JsonElement e) && e.ValueKind != JsonValueKind.Null;

    /// <summary>An integer field.</summary>
    public int Int(string name, int? otherwise = null) => Field(name, otherwise, e => e.GetInt32());

    /// <summary>A number.</summary>
    public double Number(string name, double? otherwise = null) => Field(name, otherwise, e => e.GetDouble());

    /// <summary>True or false.</summary>
    public bool Flag(string name, bool? otherwise = null) => Field(name, otherwise, e => e.GetBoolean());

    /// <summary>A string.</summary>
    public string Text(string name, string? otherwise = null)
    {
        if (!Has(name)) return otherwise ?? throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        return e.ValueKind == JsonValueKind.String ? e.GetString()! : throw Wrong(name, "a string", e);
    }

    /// <summary>A list of integers, or one integer repeated <paramref name="count"/> times.</summary>
    public IReadOnlyList<int> Ints(string name, int? count = null)
    {
        if (!Has(name)) throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind == JsonValueKind.Number && count is { } n) return Enumerable.Repeat(e.GetInt32(), n).ToArray();
        if (e.ValueKind != JsonValueKind.Array) throw Wrong(name, "a list of integers", e);
        int[] values = [.. e.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Number ? x.GetInt32() : throw Wrong(name, "a list of integers", e))];
        if (count is { } wanted && values.Length != wanted) throw Wrong(name, $"{wanted} integers", e);
        return values;
    }

    /// <summary>A list of strings.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!Has(name)) throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind != JsonValueKind.Array) throw Wrong(name, "a list of strings", e);
        return [.. e.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? x.GetString()! : throw Wrong(name, "a list of strings", e))];
    }

    /// <summary>An object whose members are strings.</summary>
    public IReadOnlyDictionary<string, string> TextMap(string name)
    {
        if (!Has(name)) throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind != JsonValueKind.Object) throw Wrong(name, "an object", e);
        return e.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : throw Wrong(name, "an object of strings", p.Value), StringComparer.Ordinal);
    }

    /// <summary>Refuses a field that is there, not null and not <paramref name="harmless"/>: it would switch on something that is not implemented.</summary>
    /// <param name="name">Field.</param>
    /// <param name="harmless">The JSON text of the one value that changes nothing, or null.</param>
    public void RequireAbsent(string name, string? harmless = null)
    {
        if (Has(name) && _root.GetProperty(name).GetRawText() != harmless)
            throw new ModelFormatException($"{_source}: {name} is {_root.GetProperty(name).GetRawText()}; only {harmless ?? "null"} is supported here.");
    }

    /// <summary>Refuses a value that the networks here do not implement.</summary>
    public void RequireEqual<T>(string name, T value, T supported)
    {
        if (!EqualityComparer<T>.Default.Equals(value, supported))
            throw new ModelFormatException($"{_source}: {name} is {value}; only {supported} is supported here.");
    }

    private T Field<T>(string name, T? otherwise, Func<JsonElement, T> read)
        where T : struct
    {
        if (!Has(name)) return otherwise ?? throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        try
        {
            return read(e);
        }
        catch (Exception ex) when (ex is InvalidOperationException or FormatException)
        {
            throw Wrong(name, typeof(T).Name, e);
        }
    }

    private ModelFormatException Missing(string name) => new($"{_source}: the field '{name}' is missing.");

    private ModelFormatException Wrong(string name, string expected, JsonElement got) =>
        new($"{_source}: the field '{name}' should be {expected}, found {got.GetRawText()}.");
}
