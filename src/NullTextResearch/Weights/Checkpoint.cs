namespace NullTextResearch.Weights;

/// <summary>The tensors of one safetensors file, or of several combined by an index.</summary>
public sealed class Checkpoint : IDisposable
{
    /// <summary>End of an index's name, before <c>.json</c> or <c>.VARIANT.json</c>.</summary>
    public const string IndexMark = ".safetensors.index";

    private const int LongestShard = 255;

    // Prefixes that programs add to every name: a training framework's wrapper, multi-GPU training, a compiled network.
    private static readonly string[] Wrappings = ["state_dict.", "module.", "_orig_mod."];

    private readonly List<SafetensorsFile> _files = [];
    private Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _entries = new(StringComparer.Ordinal);

    private Checkpoint(string path) => Path = path;

    /// <summary>The file, or the index.</summary>
    public string Path { get; }

    /// <summary>The safetensors files.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>The entries of all files.</summary>
    public IEnumerable<SafetensorsEntry> Entries => _entries.Values.Select(e => e.Entry);

    /// <summary>The prefix that was removed from most names, such as <c>state_dict.</c>; empty for ordinary files.</summary>
    public string Wrapping { get; private set; } = "";

    /// <summary>Opens a <c>.safetensors</c> file, or the <c>.safetensors.index.json</c> of a sharded checkpoint with all its shards.</summary>
    /// <exception cref="ModelFormatException">A file is missing or malformed, or index and shards contradict each other.</exception>
    public static Checkpoint Open(string path)
    {
        Checkpoint checkpoint = new(path);
        try
        {
            if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
                checkpoint.OpenShards();
            else
                checkpoint.Add(SafetensorsFile.Open(path));
            checkpoint.Unwrap();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Opens several <c>.safetensors</c> files whose tensors belong to one network.</summary>
    /// <param name="paths">At least one.</param>
    /// <exception cref="ModelFormatException">A file is missing or malformed, or two hold the same tensor.</exception>
    internal static Checkpoint OpenTogether(IReadOnlyList<string> paths)
    {
        Checkpoint checkpoint = new(paths.Count == 1 ? paths[0] : string.Join(" with ", paths));
        try
        {
            foreach (string path in paths)
                checkpoint.Add(SafetensorsFile.Open(path));
            checkpoint.Unwrap();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Whether there is a tensor with that name.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>The entry with that name, or null.</summary>
    public SafetensorsEntry? Find(string name) => _entries.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) found) ? found.Entry : null;

    /// <summary>Reads some of a tensor's bytes, as they are stored in the file.</summary>
    /// <param name="name">Key.</param>
    /// <param name="offset">First byte, relative to the start of the tensor.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="ModelFormatException">There is no such tensor, the range exceeds it, or the file ends early.</exception>
    public void ReadBytes(string name, long offset, Span<byte> target)
    {
        if (!_entries.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) found))
            throw new ModelFormatException($"{Path} contains no tensor '{Excerpt.Of(name)}'.");
        found.File.ReadBytes(found.Entry, offset, target);
    }

    /// <summary>The shards that an index names, as full paths.</summary>
    /// <param name="index">An index.</param>
    /// <exception cref="ModelFormatException">It is not an index.</exception>
    public static IReadOnlyList<string> ShardsOf(string index) =>
        [
            .. ReadIndex(index)
                .Values.Distinct(StringComparer.Ordinal)
                .Select(name => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(index) ?? "", name)),
        ];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
            file.Dispose();
    }

    private void OpenShards()
    {
        Dictionary<string, string> map = ReadIndex(Path);
        string[] absent = [.. ShardsOf(Path).Where(f => !File.Exists(f)).Select(f => System.IO.Path.GetFileName(f))];
        if (absent.Length > 0)
            throw new ModelFormatException(
                $"{Path} names {map.Values.Distinct().Count()} shards, of which these are missing: "
                    + $"{string.Join(", ", absent.Take(12).Select(name => Excerpt.Of(name)))}{(absent.Length > 12 ? ", ..." : "")}. Download them into "
                    + "the same folder; a checkpoint needs all of its shards."
            );
        foreach (string shard in ShardsOf(Path))
            Add(SafetensorsFile.Open(shard));
        foreach ((string name, string file) in map)
        {
            if (!_entries.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) found))
                throw new ModelFormatException(
                    $"{Path} says that {file} contains '{Excerpt.Of(name)}', but it does not: index and shards come from different downloads."
                );
            if (System.IO.Path.GetFileName(found.File.Path) != file)
                throw new ModelFormatException(
                    $"{Path} says that {file} contains '{Excerpt.Of(name)}', but it is in {System.IO.Path.GetFileName(found.File.Path)}: index and shards "
                        + "come from different downloads."
                );
        }
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (!_entries.TryAdd(entry.Name, (file, entry)))
                throw new ModelFormatException(
                    $"'{Excerpt.Of(entry.Name)}' is in {System.IO.Path.GetFileName(_entries[entry.Name].File.Path)} and in "
                        + $"{System.IO.Path.GetFileName(file.Path)}: the folder mixes shards of different checkpoints."
                );
        }
    }

    // Only if most names have the prefix: a single name that begins with it stays as it is.
    private void Unwrap()
    {
        while (Array.Find(Wrappings, w => _entries.Keys.Count(name => name.StartsWith(w, StringComparison.Ordinal)) > _entries.Count / 2) is { } wrapping)
        {
            Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> bare = new(StringComparer.Ordinal);
            foreach ((string name, (SafetensorsFile file, SafetensorsEntry entry)) in _entries)
            {
                string key = name.StartsWith(wrapping, StringComparison.Ordinal) ? name[wrapping.Length..] : name;
                if (!bare.TryAdd(key, (file, entry with { Name = key })))
                    throw new ModelFormatException($"{Path} contains '{Excerpt.Of(key)}' both with and without the prefix '{wrapping}', which is ambiguous.");
            }
            _entries = bare;
            Wrapping += wrapping;
        }
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        ConfigReader json = ConfigReader.FromFile(path);
        IReadOnlyDictionary<string, string> map = json.TextMap("weight_map");
        if (map.Count == 0)
            throw new ModelFormatException($"{path}: weight_map is empty.");
        // A name with a folder in it could point anywhere on the disk.
        if (
            map.Values.FirstOrDefault(f =>
                f != System.IO.Path.GetFileName(f) || f.Any(char.IsControl) || f.Length > LongestShard || !f.EndsWith(".safetensors", StringComparison.Ordinal)
            ) is
            { } bad
        )
            throw PickleCheckpoint.IsNamedLikeOne(bad)
                ? PickleCheckpoint.Refuse(Excerpt.Of(bad))
                : new ModelFormatException($"{path} names the shard '{Excerpt.Of(bad)}'; expected the name of a .safetensors file next to it.");
        return new Dictionary<string, string>(map, StringComparer.Ordinal);
    }
}
