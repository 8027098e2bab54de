using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>A checkpoint does not fit a network.</summary>
public sealed class CheckpointMismatchException : Exception
{
    internal CheckpointMismatchException(string file, IReadOnlyList<string> missing, IReadOnlyList<string> extra, IReadOnlyList<string> misshaped)
        : base(Text(file, missing, extra, misshaped))
    {
        Missing = missing;
        Extra = extra;
        Misshaped = misshaped;
    }

    /// <summary>Keys that the network needs and the file lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Keys in the file that the network does not know.</summary>
    public IReadOnlyList<string> Extra { get; }

    /// <summary>Keys whose shapes differ, with both shapes.</summary>
    public IReadOnlyList<string> Misshaped { get; }

    private static string Text(string file, IReadOnlyList<string> missing, IReadOnlyList<string> extra, IReadOnlyList<string> misshaped)
    {
        static string List(string title, IReadOnlyList<string> keys) =>
            keys.Count == 0 ? "" : $"\n  {title} ({keys.Count}): {string.Join(", ", keys.Take(12))}{(keys.Count > 12 ? ", ..." : "")}";
        return $"{file} does not fit the network that its config.json describes:{List("missing", missing)}{List("not expected", extra)}{List("wrong shape", misshaped)}\nCheck that config and weights come from the same model.";
    }
}

/// <summary>Loads checkpoints into networks: every key must be there, nothing more, in the right shape.</summary>
public static class StrictLoad
{
    /// <summary>Loads every weight, or throws and leaves the network without a half-loaded state.</summary>
    /// <param name="weights">Declared weights.</param>
    /// <param name="file">Checkpoint.</param>
    /// <param name="device">Where the weights go.</param>
    /// <param name="dtype">Their floating-point type.</param>
    /// <param name="canonical">Maps a key of the file to the network's key, or to null for keys to ignore; null means no mapping.</param>
    /// <exception cref="CheckpointMismatchException">Keys are missing, unexpected or mis-shaped; all of them are named at once.</exception>
    public static void Load(WeightSet weights, SafetensorsFile file, Device device, ScalarType dtype, Func<string, string?>? canonical = null)
    {
        Dictionary<string, SafetensorsEntry> byKey = new(StringComparer.Ordinal);
        List<string> extra = [], missing = [], misshaped = [];
        foreach (SafetensorsEntry entry in file.Entries)
        {
            string? key = CheckpointKeys.IsIgnored(entry.Name) ? null : canonical is null ? entry.Name : canonical(entry.Name);
            if (key is null) continue;
            if (weights.Find(key) is null) extra.Add(entry.Name);
            else byKey[key] = entry;
        }
        foreach (Weight weight in weights.All)
        {
            if (!byKey.TryGetValue(weight.Key, out SafetensorsEntry? entry)) missing.Add(weight.Key);
            else if (!entry.Shape.SequenceEqual(weight.Dimensions)) misshaped.Add($"{weight.Key} is {Shape.Text(entry.Shape)} instead of {Shape.Text(weight.Dimensions)}");
        }
        if (missing.Count + extra.Count + misshaped.Count > 0) throw new CheckpointMismatchException(file.Path, missing, extra, misshaped);

        weights.Fill(weight =>
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor value = file.Read(byKey[weight.Key].Name);
            return (value.is_floating_point() ? value.to(dtype, device) : value.to(device)).MoveToOuterDisposeScope();
        });
    }
}

/// <summary>Names under which older checkpoints store the same weights.</summary>
public static class CheckpointKeys
{
    private static readonly (string Old, string New)[] VaeAttention =
        [(".query.", ".to_q."), (".key.", ".to_k."), (".value.", ".to_v."), (".proj_attn.", ".to_out.0.")];

    /// <summary>Integer buffers that carry no information.</summary>
    public static bool IsIgnored(string key) => key.EndsWith("position_ids", StringComparison.Ordinal);

    /// <summary>The key of a VAE weight under diffusers' newer attention names (query becomes to_q, and so on).</summary>
    public static string NewerVaeKey(string key) => Rename(key, t => (t.Old, t.New));

    /// <summary>The key of a VAE weight under diffusers' older attention names.</summary>
    public static string OlderVaeKey(string key) => Rename(key, t => (t.New, t.Old));

    private static string Rename(string key, Func<(string Old, string New), (string From, string To)> direction)
    {
        if (!key.Contains(".attentions.", StringComparison.Ordinal)) return key;
        foreach ((string Old, string New) pair in VaeAttention)
        {
            (string from, string to) = direction(pair);
            if (key.Contains(from, StringComparison.Ordinal)) return key.Replace(from, to, StringComparison.Ordinal);
        }
        return key;
    }
}
