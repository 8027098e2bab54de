using System.Text.Json;

namespace NullTextResearch.Training;

/// <summary>
/// Numbers by name in a JSON file that grows as work proceeds, so an interrupted evaluation resumes where it stopped. The file carries a checksum of the
/// numbers; if it is damaged, everything is measured again.
/// </summary>
internal sealed class ResultStore
{
    private static readonly JsonSerializerOptions Indented = new(StoredJson.Plain) { WriteIndented = true };
    private static readonly JsonSerializerOptions Strict = StoredJson.Strict(StoredJson.Plain);
    private readonly string _path;
    private readonly SortedDictionary<string, double[]> _values = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>Opens the file; numbers measured on a model other than <paramref name="model"/> are dropped.</summary>
    /// <exception cref="IOException">The file exists but cannot be read.</exception>
    public ResultStore(string path, string model)
    {
        _path = path;
        Model = model;
        if (!File.Exists(path))
            return;
        try
        {
            Content content = StoredJson.Read<Content>(File.ReadAllBytes(path), Strict);
            if (content.Sha256 != Checksum(content.Model, content.Values) || content.Values.Values.Any(v => v is null))
                throw new JsonException("its checksum is wrong or missing");
            if (content.Model == model)
                _values = new(content.Values, StringComparer.Ordinal);
        }
        catch (JsonException e)
        {
            Damage = $"{path} is damaged ({e.Message.TrimEnd('.')}); everything is measured again.";
        }
    }

    public string Model { get; }

    /// <summary>Why the existing file is not used, for display; null if it is used.</summary>
    public string? Damage { get; }

    public double[]? Find(string key)
    {
        lock (_gate)
            return _values.GetValueOrDefault(key);
    }

    public void Add(string key, params double[] values)
    {
        lock (_gate)
        {
            _values[key] = values;
            WholeFile.Write(_path, JsonSerializer.SerializeToUtf8Bytes(new Content(Model, new(_values), Checksum(Model, _values)), Indented));
        }
    }

    // Numbers are written so that they round-trip exactly, so the same values give the same text.
    private static string Checksum(string model, IDictionary<string, double[]> values) =>
        StoredJson.Checksum(
            JsonSerializer.SerializeToUtf8Bytes(
                new { model, Values = new SortedDictionary<string, double[]>(values, StringComparer.Ordinal) },
                StoredJson.Plain
            )
        );

    private sealed record Content(string Model, Dictionary<string, double[]> Values, string? Sha256);
}
