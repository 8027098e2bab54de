using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Experiments;

/// <summary>What a result depends on. Two results with equal keys are the same.</summary>
/// <param name="Experiment">Name of the computation.</param>
/// <param name="ImageHash">Hash of the image's pixels.</param>
/// <param name="Prompt">Its caption.</param>
/// <param name="ModelFingerprint">Hash of the model's weights.</param>
/// <param name="OptionsJson">All options, as JSON.</param>
/// <param name="AlgorithmVersion">Raised by hand whenever the numbers of an algorithm change.</param>
public sealed record ResultKey(string Experiment, string ImageHash, string Prompt, string ModelFingerprint, string OptionsJson, int AlgorithmVersion)
{
    /// <summary>SHA-256 over all parts, in hexadecimal.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        // JSON keeps the parts apart, whatever they hold.
        JsonSerializer.Serialize((string[])[Experiment, ImageHash, Prompt, ModelFingerprint, OptionsJson, AlgorithmVersion.ToString(System.Globalization.CultureInfo.InvariantCulture)]))));
}

/// <summary>Results as files, one each, written in one step: an interrupted run goes on where it stopped.</summary>
public sealed class ResultCache
{
    internal static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly string _folder;

    /// <summary>Opens a folder; it is made when the first result is written.</summary>
    public ResultCache(string folder) => _folder = folder;

    /// <summary>Results read from files so far.</summary>
    public int Found { get; private set; }

    /// <summary>Results written so far.</summary>
    public int Written { get; private set; }

    /// <summary>Reads a result.</summary>
    /// <returns>False if it is not there, or its file was damaged (it is then computed again).</returns>
    public bool TryRead<T>(ResultKey key, out T value)
    {
        value = default!;
        string path = PathOf(key);
        if (!File.Exists(path)) return false;
        try
        {
            Entry<T>? entry = JsonSerializer.Deserialize<Entry<T>>(File.ReadAllBytes(path), Json);
            if (entry is null || entry.Key.Hash != key.Hash || entry.Value is null) return false;
            value = entry.Value;
            Found++;
            return true;
        }
        catch (JsonException)
        {
            // A disk error or an older program's file: computing it again is the remedy.
            return false;
        }
    }

    /// <summary>Writes a result; a reader sees all of it or nothing.</summary>
    /// <exception cref="IOException">The disk is full or the place cannot be written; earlier results are intact.</exception>
    public void Write<T>(ResultKey key, T value)
    {
        WholeFile.Write(PathOf(key), JsonSerializer.SerializeToUtf8Bytes(new Entry<T>(key, value), Json));
        Written++;
    }

    /// <summary>The file of a result.</summary>
    public string PathOf(ResultKey key) => Path.Combine(_folder, $"{key.Experiment}-{key.Hash[..24]}.json");

    private sealed record Entry<T>(ResultKey Key, T Value);
}
