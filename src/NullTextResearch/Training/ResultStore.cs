using System.Text.Json;

namespace NullTextResearch.Training;

/// <summary>Numbers by name in a JSON file that grows as work proceeds: an interrupted evaluation goes on where it stopped.</summary>
internal sealed class ResultStore
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly string _path;
    private readonly SortedDictionary<string, double[]> _values = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Opens the file; numbers measured on another model (by <paramref name="model"/>) are dropped.</summary>
    public ResultStore(string path, string model)
    {
        _path = path;
        Model = model;
        if (!File.Exists(path)) return;
        Content content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path), Indented)
            ?? throw new InvalidDataException($"{path} is empty; delete it to evaluate anew.");
        if (content.Model == model) _values = new(content.Values, StringComparer.Ordinal);
    }

    public string Model { get; }

    public double[]? Find(string key)
    {
        lock (_gate) return _values.GetValueOrDefault(key);
    }

    public void Add(string key, params double[] values)
    {
        lock (_gate)
        {
            _values[key] = values;
            WholeFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(new Content(Model, new(_values)), Indented));
        }
    }

    private sealed record Content(string Model, Dictionary<string, double[]> Values);
}
