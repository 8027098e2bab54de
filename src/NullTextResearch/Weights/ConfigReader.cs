using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace NullTextResearch.Weights;

/// <summary>Reads one <c>config.json</c> of a diffusers-format model folder; every error message gives file and field.</summary>
public sealed class ConfigReader
{
    // A hundred times the size of the index of a large sharded model.
    private const int MostBytes = 1 << 25;

    private readonly JsonElement _root;

    /// <summary>Wraps an already parsed object.</summary>
    /// <param name="root">A JSON object.</param>
    /// <param name="source">File name used in messages.</param>
    /// <exception cref="ModelFormatException">It is not an object, or <see cref="StrictJson"/> rejects it.</exception>
    public ConfigReader(JsonElement root, string source)
    {
        Source = source;
        if (root.ValueKind != JsonValueKind.Object)
            throw new ModelFormatException($"{source}: expected a JSON object, found {root.ValueKind}.");
        try
        {
            StrictJson.Check(JsonMarshal.GetRawUtf8Value(root));
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{source}: not valid JSON ({e.Message.TrimEnd('.')}).", e);
        }
        _root = root;
    }

    /// <summary>File name used in messages.</summary>
    public string Source { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelFormatException">It is missing, not a regular file, or not a JSON object; the message gives file, place and reason.</exception>
    public static ConfigReader FromFile(string path)
    {
        try
        {
            return new ConfigReader(StrictJson.ReadFile(path, MostBytes), path);
        }
        catch (UnreadableFileException) when (RegularFile.ProblemOf(path) == "is missing")
        {
            throw new ModelFormatException($"Missing file: {path}. A diffusers-format model folder has one config.json per part.");
        }
        catch (UnreadableFileException e)
        {
            throw ModelFormatException.Of(e);
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{path}: not valid JSON ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>True if the field is present and not null.</summary>
    public bool Has(string name) => _root.TryGetProperty(name, out JsonElement e) && e.ValueKind != JsonValueKind.Null;

    /// <summary>An integer field.</summary>
    /// <param name="name">Field.</param>
    /// <param name="otherwise">The value if the file omits the field; null: the field is required.</param>
    /// <param name="least">The least value that makes sense.</param>
    /// <param name="most">The largest value that makes sense.</param>
    /// <exception cref="ModelFormatException">It is missing, not a whole number, or out of range.</exception>
    public int Int(string name, int? otherwise = null, int least = int.MinValue, int most = int.MaxValue) =>
        Has(name) ? Whole(name, _root.GetProperty(name), least, most) : otherwise ?? throw Missing(name);

    /// <summary>A finite number.</summary>
    /// <param name="name">Field.</param>
    /// <param name="otherwise">The value if the file omits the field; null: the field is required.</param>
    /// <param name="least">The least value that makes sense.</param>
    /// <param name="most">The largest value that makes sense.</param>
    /// <exception cref="ModelFormatException">It is missing, not a number, or out of range.</exception>
    public double Number(string name, double? otherwise = null, double least = double.MinValue, double most = double.MaxValue)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind != JsonValueKind.Number || !e.TryGetDouble(out double value) || !double.IsFinite(value))
            throw Wrong(name, "a number", e);
        return value >= least && value <= most ? value : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"), e);
    }

    /// <summary>A Boolean.</summary>
    public bool Flag(string name, bool? otherwise = null)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        return e.ValueKind is JsonValueKind.True or JsonValueKind.False ? e.GetBoolean() : throw Wrong(name, "true or false", e);
    }

    /// <summary>A string.</summary>
    public string Text(string name, string? otherwise = null)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        return e.ValueKind == JsonValueKind.String ? e.GetString()! : throw Wrong(name, "a string", e);
    }

    /// <summary>A list of integers, or one integer repeated <paramref name="count"/> times.</summary>
    /// <param name="name">Field.</param>
    /// <param name="count">Required number of entries; null for any number.</param>
    /// <param name="least">The least value that makes sense.</param>
    /// <param name="most">The largest value that makes sense.</param>
    /// <exception cref="ModelFormatException">It is missing, of another type, or out of range.</exception>
    public IReadOnlyList<int> Ints(string name, int? count = null, int least = int.MinValue, int most = int.MaxValue)
    {
        if (!Has(name))
            throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind == JsonValueKind.Number && count is { } n)
            return Enumerable.Repeat(Whole(name, e, least, most), n).ToArray();
        if (e.ValueKind != JsonValueKind.Array)
            throw Wrong(name, "a list of integers", e);
        int[] values = [.. e.EnumerateArray().Select(x => Whole(name, x, least, most))];
        if (count is { } wanted && values.Length != wanted)
            throw Wrong(name, $"{wanted} integers", e);
        return values;
    }

    /// <summary>A list of strings.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        if (!Has(name))
            throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind != JsonValueKind.Array)
            throw Wrong(name, "a list of strings", e);
        return [.. e.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.String ? x.GetString()! : throw Wrong(name, "a list of strings", e))];
    }

    /// <summary>An object whose members are strings.</summary>
    public IReadOnlyDictionary<string, string> TextMap(string name)
    {
        if (!Has(name))
            throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        if (e.ValueKind != JsonValueKind.Object)
            throw Wrong(name, "an object", e);
        return e.EnumerateObject()
            .ToDictionary(
                p => p.Name,
                p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : throw Wrong(name, "an object of strings", p.Value),
                StringComparer.Ordinal
            );
    }

    /// <summary>A nested object.</summary>
    /// <param name="name">Field.</param>
    /// <exception cref="ModelFormatException">It is missing, or not an object.</exception>
    public ConfigReader Part(string name)
    {
        if (!Has(name))
            throw Missing(name);
        JsonElement e = _root.GetProperty(name);
        return e.ValueKind == JsonValueKind.Object ? new ConfigReader(e, $"{Source}: {name}") : throw Wrong(name, "an object", e);
    }

    /// <summary>Rejects a field that is present, not null and not <paramref name="harmless"/>: it would enable something that is not implemented.</summary>
    /// <param name="name">Field.</param>
    /// <param name="harmless">The JSON text of the one value that changes nothing, or null.</param>
    public void RequireAbsent(string name, string? harmless = null)
    {
        if (Has(name) && _root.GetProperty(name).GetRawText() != harmless)
            throw new ModelFormatException(
                $"{Source}: {name} is {Excerpt.Of(_root.GetProperty(name).GetRawText())}; only {harmless ?? "null"} is supported here."
            );
    }

    /// <summary>Rejects a value that the networks here do not implement.</summary>
    public void RequireEqual<T>(string name, T value, T supported)
    {
        if (!EqualityComparer<T>.Default.Equals(value, supported))
            throw Unsupported(name, value, $"{supported}");
    }

    /// <summary>The error for a value that the networks here do not implement.</summary>
    /// <param name="name">Field.</param>
    /// <param name="value">Its value.</param>
    /// <param name="supported">The supported values.</param>
    public ModelFormatException Unsupported<T>(string name, T value, string supported) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Source}: {name} is {Excerpt.Of($"{value}")}; only {supported} {(supported.Contains(" and ", StringComparison.Ordinal) ? "are" : "is")} "
                    + $"supported here."
            )
        );

    private int Whole(string name, JsonElement e, int least, int most)
    {
        if (e.ValueKind != JsonValueKind.Number || !e.TryGetInt32(out int value))
            throw Wrong(name, "a 32-bit whole number", e);
        return value >= least && value <= most
            ? value
            : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"), e);
    }

    private ModelFormatException Missing(string name) => new($"{Source}: the field '{name}' is missing.");

    private ModelFormatException Wrong(string name, string expected, JsonElement got) =>
        new($"{Source}: the field '{name}' should be {expected}, found {Excerpt.Of(got.GetRawText())}.");
}
