using System.Runtime.InteropServices;
using System.Text.Json;

namespace NullTextResearch.Experiments;

/// <summary>
/// Stores each result in its own file, written in one step, so that an interrupted run resumes where it stopped. Each file carries a checksum of its value; one
/// that is damaged or predates checksums counts as missing.
/// </summary>
public sealed class ResultCache
{
    internal static readonly JsonSerializerOptions Json = StoredJson.Plain;
    private static readonly JsonSerializerOptions Strict = StoredJson.Strict(StoredJson.Plain);
    private readonly string _folder;
    private readonly HashSet<string> _counted = [];

    /// <summary>Opens a folder; it is created when the first result is written.</summary>
    public ResultCache(string folder) => _folder = folder;

    /// <summary>Results read from files so far.</summary>
    public int Found { get; private set; }

    /// <summary>
    /// Seconds that these took when they were computed, each as often as it was read; null if the time of one is not known.
    /// </summary>
    public double? FoundSeconds { get; private set; } = 0;

    /// <summary>Results read so far that this object has not written, each counted once: earlier runs computed them.</summary>
    public int Earlier { get; private set; }

    /// <summary>Seconds that the <see cref="Earlier"/> results took when they were computed; null as for <see cref="FoundSeconds"/>.</summary>
    public double? EarlierSeconds { get; private set; } = 0;

    /// <summary>Results written so far.</summary>
    public int Written { get; private set; }

    /// <summary>Existing files so far that could not be used.</summary>
    public int Damaged { get; private set; }

    /// <summary>Reads a result.</summary>
    /// <returns>False if there is none, or its file is damaged (it is then computed again).</returns>
    /// <exception cref="IOException">The file exists but cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file is denied.</exception>
    public bool TryRead<T>(ResultKey key, out T value)
    {
        value = default!;
        string path = PathOf(key);
        if (!File.Exists(path))
            return false;
        try
        {
            Entry entry = StoredJson.Read<Entry>(File.ReadAllBytes(path), Strict);
            ReadOnlySpan<byte> stored = JsonMarshal.GetRawUtf8Value(entry.Value);
            if (entry.Key.Hash != key.Hash || entry.Sha256 != StoredJson.Checksum(stored))
                throw new JsonException("it belongs to another key, or its checksum is wrong");
            value = StoredJson.Read<T>(stored, Strict);
            Found++;
            FoundSeconds += entry.Seconds;
            if (_counted.Add(path))
            {
                Earlier++;
                EarlierSeconds += entry.Seconds;
            }

            return true;
        }
        catch (JsonException)
        {
            // A disk error or a file of an older program: the result is computed again.
            Damaged++;
            return false;
        }
    }

    /// <summary>Writes a result; a reader sees all of it or nothing.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="value">The result.</param>
    /// <param name="seconds">What its computation took, or null if that is not known.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; earlier results are intact.</exception>
    public void Write<T>(ResultKey key, T value, double? seconds = null)
    {
        byte[] stored = JsonSerializer.SerializeToUtf8Bytes(value, Json);
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text))
        {
            writer.WriteStartObject();
            writer.WritePropertyName(nameof(Entry.Key));
            JsonSerializer.Serialize(writer, key, Json);
            writer.WriteString(nameof(Entry.Sha256), StoredJson.Checksum(stored));
            if (seconds is { } took)
                writer.WriteNumber(nameof(Entry.Seconds), Math.Round(took, 3));
            writer.WritePropertyName(nameof(Entry.Value));
            // Exactly the bytes that were hashed.
            writer.WriteRawValue(stored);
            writer.WriteEndObject();
        }

        WholeFile.Write(PathOf(key), text.GetBuffer().AsSpan(0, (int)text.Length));
        _counted.Add(PathOf(key));
        Written++;
    }

    /// <summary>The file of a result.</summary>
    public string PathOf(ResultKey key) => Path.Combine(_folder, $"{key.Experiment}-{key.Hash[..24]}.json");

    private sealed record Entry(ResultKey Key, string Sha256, JsonElement Value, double? Seconds = null);
}
