using System.Text.RegularExpressions;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>
/// Loads checkpoints into networks: every key must be present, with the right shape. Other tensors in the file are ignored, unless they show that the
/// network is a different one: an additional layer of a kind that the network has, or a weight under both of its names.
/// </summary>
public static partial class StrictLoad
{
    // Bytes read at a time if type or device differs. Loading needs this much in addition to the weights themselves.
    private const int StagingBytes = 1 << 24;

    /// <summary>Loads every weight from a file whose keys are the network's own.</summary>
    /// <param name="weights">Declared weights.</param>
    /// <param name="checkpoint">The source; borrowed.</param>
    /// <param name="device">Device of the loaded weights.</param>
    /// <param name="dtype">Their floating-point type.</param>
    /// <exception cref="CheckpointMismatchException">Keys are missing, contradict the network or have the wrong shape; all of them are listed.</exception>
    /// <exception cref="ModelFormatException">A weight has an unsupported type, or the file is damaged.</exception>
    public static void Load(WeightSet weights, Checkpoint checkpoint, Device device, ScalarType dtype) =>
        Load(weights, checkpoint, device, dtype, key => [new KeySource(key)], CheckpointKeys.IsIgnored, null);

    /// <summary>Loads every weight, or throws and leaves the network without a half-loaded state.</summary>
    /// <param name="weights">Declared weights.</param>
    /// <param name="checkpoint">The source; borrowed.</param>
    /// <param name="device">Device of the loaded weights.</param>
    /// <param name="dtype">Their floating-point type.</param>
    /// <param name="sourcesOf">For a key of the network, the places where a checkpoint may store it; the first existing one is used.</param>
    /// <param name="isIgnored">Keys of the checkpoint that may remain unused.</param>
    /// <param name="meter">Counts the bytes read; null: no progress is reported.</param>
    internal static void Load(
        WeightSet weights,
        Checkpoint checkpoint,
        Device device,
        ScalarType dtype,
        Func<string, IReadOnlyList<KeySource>> sourcesOf,
        Func<string, bool> isIgnored,
        LoadMeter? meter
    )
    {
        Dictionary<string, (KeySource Source, SafetensorsEntry Entry)> found = Match(weights, checkpoint, sourcesOf, isIgnored).Found;
        Dictionary<ScalarType, Tensor> staging = [];
        try
        {
            weights.Fill(weight =>
            {
                using DisposeScope scope = NewDisposeScope();
                (KeySource source, SafetensorsEntry entry) = found[weight.Key];
                Tensor value = empty([.. weight.Dimensions], weight.Init == WeightInit.Range ? entry.Dtype : dtype, device);
                Copy(checkpoint, entry, source.Part * weight.Count, value, staging, meter);
                return value.MoveToOuterDisposeScope();
            });
        }
        catch
        {
            weights.Clear();
            throw;
        }
        finally
        {
            foreach (Tensor tensor in staging.Values)
                tensor.Dispose();
        }
    }

    /// <summary>Where the numbers of each weight are stored, and which keys belong to nothing.</summary>
    /// <exception cref="CheckpointMismatchException">Keys are missing, contradict the network or have the wrong shape.</exception>
    /// <exception cref="ModelFormatException">A weight has an unsupported type.</exception>
    internal static (Dictionary<string, (KeySource Source, SafetensorsEntry Entry)> Found, IReadOnlyList<string> Stray) Match(
        WeightSet weights,
        Checkpoint checkpoint,
        Func<string, IReadOnlyList<KeySource>> sourcesOf,
        Func<string, bool> isIgnored
    )
    {
        Dictionary<string, (KeySource Source, SafetensorsEntry Entry)> found = new(StringComparer.Ordinal);
        HashSet<string> used = new(StringComparer.Ordinal),
            kinds = new(StringComparer.Ordinal);
        List<string> missing = [],
            misshaped = [];
        foreach (Weight weight in weights.All)
        {
            KeySource[] sources = [.. sourcesOf(weight.Key)];
            kinds.UnionWith(sources.Select(s => Kind(s.Name)));
            KeySource? source = Array.Find(sources, s => checkpoint.Has(s.Name));
            if (source is null)
            {
                missing.Add(sources[0].Name == weight.Key ? weight.Key : $"{weight.Key} (as {string.Join(" or ", sources.Select(s => s.Name))})");
                continue;
            }
            SafetensorsEntry entry = checkpoint.Find(source.Name)!;
            used.Add(source.Name);
            if (Fits(weight, source, entry))
                found.Add(weight.Key, (source, entry));
            else
                misshaped.Add($"{source.Name} is {Shape.Text(entry.Shape)} instead of {Expected(weight, source)}");
        }
        string[] extra = [.. checkpoint.Entries.Select(e => e.Name).Where(name => !used.Contains(name) && !isIgnored(name))];
        string[] contrary = [.. extra.Where(name => kinds.Contains(Kind(name)))];
        // If a key is missing, any surplus key may be its other name.
        if (missing.Count + contrary.Length + misshaped.Count > 0)
            throw new CheckpointMismatchException(checkpoint.Path, missing, missing.Count > 0 ? extra : contrary, misshaped);
        RequireReadable(checkpoint, found.Values.Select(f => f.Entry));
        return (found, extra);
    }

    /// <summary>Rejects a file that stores a weight in an unsupported type. Tensors that the network does not need may have any type.</summary>
    /// <exception cref="ModelFormatException">A weight has an unsupported type.</exception>
    internal static void RequireReadable(WeightSet weights, Checkpoint checkpoint, Func<string, IReadOnlyList<KeySource>> sourcesOf)
    {
        if (checkpoint.Entries.All(e => e.IsReadable))
            return;
        RequireReadable(
            checkpoint,
            weights.All.Select(w => sourcesOf(w.Key).Select(s => checkpoint.Find(s.Name)).FirstOrDefault(e => e is not null)).OfType<SafetensorsEntry>()
        );
    }

    private static void RequireReadable(Checkpoint checkpoint, IEnumerable<SafetensorsEntry> needed)
    {
        SafetensorsEntry[] unread = [.. needed.Where(e => !e.IsReadable)];
        if (unread.Length > 0)
            throw new ModelFormatException(
                $"{checkpoint.Path}: '{unread[0].Name}'{(unread.Length > 1 ? $" (and {unread.Length - 1} more)" : "")} "
                    + $"{SafetensorsFile.Unreadable(unread[0].TypeName)}."
            );
    }

    // The name without its numbers: two layers of one network are of the same kind.
    private static string Kind(string name) => Numbers().Replace(name, "#");

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Numbers();

    private static bool Fits(Weight weight, KeySource source, SafetensorsEntry entry)
    {
        IEnumerable<long> stored = entry.Shape,
            wanted = weight.Dimensions;
        if (source.Parts > 1)
        {
            if (entry.Shape.Count == 0 || entry.Shape[0] % source.Parts != 0)
                return false;
            stored = stored.Skip(1).Prepend(entry.Shape[0] / source.Parts);
        }
        return source.IgnoreUnitAxes ? Trimmed(stored).SequenceEqual(Trimmed(wanted)) : stored.SequenceEqual(wanted);

        static long[] Trimmed(IEnumerable<long> shape) => [.. shape.Reverse().SkipWhile(n => n == 1).Reverse()];
    }

    private static string Expected(Weight weight, KeySource source) =>
        Shape.Text(source.Parts == 1 ? weight.Dimensions : [weight.Dimensions[0] * source.Parts, .. weight.Dimensions.Skip(1)]);

    // Read directly into the weight if type and device match, otherwise through one small buffer. A second copy of a large tensor never exists, so
    // the peak is the model plus this buffer.
    private static void Copy(Checkpoint checkpoint, SafetensorsEntry entry, long first, Tensor target, Dictionary<ScalarType, Tensor> staging, LoadMeter? meter)
    {
        int size = SafetensorsFile.BytesOf(entry.Dtype);
        bool direct = target.dtype == entry.Dtype && target.device.type == DeviceType.CPU;
        long count = target.numel(),
            most = StagingBytes / size;
        using Tensor flat = target.view(-1);
        for (long at = 0; at < count; at += most)
        {
            using DisposeScope scope = NewDisposeScope();
            long n = Math.Min(most, count - at);
            Tensor piece = flat.narrow(0, at, n);
            if (direct)
            {
                checkpoint.ReadBytes(entry.Name, (first + at) * size, piece.bytes);
            }
            else
            {
                if (!staging.TryGetValue(entry.Dtype, out Tensor? buffer))
                    staging[entry.Dtype] = buffer = empty([most], entry.Dtype).DetachFromDisposeScope();
                Tensor part = buffer.narrow(0, 0, n);
                checkpoint.ReadBytes(entry.Name, (first + at) * size, part.bytes);
                piece.copy_(part);
            }
            meter?.Add(n * size);
        }
    }
}
