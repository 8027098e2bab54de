namespace NullTextResearch.Models;

/// <summary>
/// One model's folder in the cache. The layout is that of the Python hub library, so both share the same files: <c>blobs/</c> holds file contents named by
/// hash, <c>snapshots/COMMIT/</c> holds the model's files as links to them, and <c>refs/</c> holds the commit of each branch or tag.
/// </summary>
internal sealed class CacheFolder(string root, ModelName model)
{
    private const string Prefix = "models--";
    private const string Separator = "--";

    /// <summary>The entries that a Stable Diffusion model folder must have.</summary>
    public static readonly IReadOnlyList<string> Parts = ["model_index.json", "unet", "vae", "text_encoder", "tokenizer", "scheduler"];

    public string Path { get; } = System.IO.Path.Combine(root, FolderName(model));

    public string Blobs => System.IO.Path.Combine(Path, "blobs");

    public string Snapshots => System.IO.Path.Combine(Path, "snapshots");

    public string References => System.IO.Path.Combine(Path, "refs");

    public string Locks { get; } = System.IO.Path.Combine(root, ".locks", FolderName(model));

    public string Blob(string hash) => System.IO.Path.Combine(Blobs, hash);

    /// <summary>The partial file of an unfinished download. This library and the Python library can each resume what the other began.</summary>
    public string Unfinished(string hash) => Blob(hash) + ".incomplete";

    public string Snapshot(string commit) => System.IO.Path.Combine(Snapshots, commit);

    public string Reference(string revision) => System.IO.Path.Combine([References, .. revision.Split('/')]);

    public static string FolderName(ModelName model) => Prefix + model.Owner + Separator + model.Name;

    /// <summary>The name of the model that a cache folder belongs to; null if it belongs to none.</summary>
    public static ModelName? NameOf(string folderName)
    {
        if (!folderName.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        return ModelName.TryParse(folderName[Prefix.Length..].Replace(Separator, "/", StringComparison.Ordinal), out ModelName? name) ? name : null;
    }

    /// <summary>The commit that a revision refers to according to the local cache; null if unknown.</summary>
    public string? CommitOf(string revision)
    {
        string reference = Reference(revision);
        if (File.Exists(reference))
            return File.ReadAllText(reference).Trim() is var commit && IsHash(commit) ? commit : null;
        if (!Directory.Exists(Snapshots) || revision.Length < 7 || !revision.All(char.IsAsciiHexDigit))
            return null;
        string[] matching =
        [
            .. Directory
                .GetDirectories(Snapshots)
                .Select(s => System.IO.Path.GetFileName(s))
                .Where(c => c.StartsWith(revision, StringComparison.OrdinalIgnoreCase)),
        ];
        return matching.Length == 1 ? matching[0] : null;
    }

    /// <summary>Branches and tags with the commits they point to.</summary>
    public IReadOnlyList<(string Revision, string Commit)> AllReferences() =>
        !Directory.Exists(References)
            ? []
            :
            [
                .. Directory
                    .GetFiles(References, "*", SearchOption.AllDirectories)
                    .Order(StringComparer.Ordinal)
                    .Select(f => (System.IO.Path.GetRelativePath(References, f).Replace('\\', '/'), File.ReadAllText(f).Trim())),
            ];

    public IReadOnlyList<CachedRevision> Revisions()
    {
        if (!Directory.Exists(Snapshots))
            return [];
        IReadOnlyList<(string Revision, string Commit)> references = AllReferences();
        return
        [
            .. Directory
                .GetDirectories(Snapshots)
                .Order(StringComparer.Ordinal)
                .Select(folder =>
                {
                    string commit = System.IO.Path.GetFileName(folder);
                    return new CachedRevision
                    {
                        Commit = commit,
                        Folder = folder,
                        References = [.. references.Where(r => r.Commit == commit).Select(r => r.Revision)],
                        Bytes = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(f => Content(f)?.Length ?? 0),
                        HasIndex = Exists(folder, "model_index.json"),
                        Missing = Missing(folder),
                    };
                }),
        ];
    }

    /// <summary>The parts of a Stable Diffusion model that a snapshot lacks.</summary>
    public static IReadOnlyList<string> Missing(string snapshot) => [.. Parts.Where(part => !Exists(snapshot, part))];

    /// <summary>The file at a path, with links resolved; null if there is none or the link is broken.</summary>
    public static FileInfo? Content(string path)
    {
        FileInfo file = new(path);
        // A link's own length is that of its text, so the target's size is taken.
        FileInfo? target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
        return target is { Exists: true } ? target : null;
    }

    public static bool IsHash(string text) => text.Length is 40 or 64 && text.All(c => c is >= '0' and <= '9' or >= 'a' and <= 'f');

    private static bool Exists(string folder, string part)
    {
        string path = System.IO.Path.Combine(folder, part);
        return Directory.Exists(path) || Content(path) is not null;
    }
}
