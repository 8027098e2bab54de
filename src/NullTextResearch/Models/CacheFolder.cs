namespace NullTextResearch.Models;

/// <summary>
/// One model's folder in the cache, laid out as the Python hub library lays it out, so that both see the same files:
/// <c>blobs/</c> holds contents named by their hash, <c>snapshots/COMMIT/</c> the model's files as links to them,
/// <c>refs/</c> the commit of each branch or tag.
/// </summary>
internal sealed class CacheFolder(string root, ModelName model)
{
    private const string Prefix = "models--";
    private const string Separator = "--";

    /// <summary>What a folder needs to be a Stable Diffusion model.</summary>
    public static readonly IReadOnlyList<string> Parts = ["model_index.json", "unet", "vae", "text_encoder", "tokenizer", "scheduler"];

    public string Path { get; } = System.IO.Path.Combine(root, FolderName(model));

    public string Blobs => System.IO.Path.Combine(Path, "blobs");

    public string Snapshots => System.IO.Path.Combine(Path, "snapshots");

    public string References => System.IO.Path.Combine(Path, "refs");

    public string Locks { get; } = System.IO.Path.Combine(root, ".locks", FolderName(model));

    public string Blob(string hash) => System.IO.Path.Combine(Blobs, hash);

    /// <summary>Where a content grows until it is complete; the Python library goes on with it, and we with its.</summary>
    public string Unfinished(string hash) => Blob(hash) + ".incomplete";

    public string Snapshot(string commit) => System.IO.Path.Combine(Snapshots, commit);

    public string Reference(string revision) => System.IO.Path.Combine([References, .. revision.Split('/')]);

    public static string FolderName(ModelName model) => Prefix + model.Owner + Separator + model.Name;

    /// <summary>The model of a folder in the cache; null for anything else that lies there.</summary>
    public static ModelName? NameOf(string folderName)
    {
        if (!folderName.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        return ModelName.TryParse(folderName[Prefix.Length..].Replace(Separator, "/", StringComparison.Ordinal), out ModelName? name) ? name : null;
    }

    /// <summary>The commit that a revision stands for, as far as this machine knows; null if it is not known.</summary>
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

    /// <summary>Branches and tags with the commits they stand for.</summary>
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

    /// <summary>What a snapshot lacks to be a Stable Diffusion model.</summary>
    public static IReadOnlyList<string> Missing(string snapshot) => [.. Parts.Where(part => !Exists(snapshot, part))];

    /// <summary>The file behind a path that may be a link; null if there is none, or the link leads nowhere.</summary>
    public static FileInfo? Content(string path)
    {
        FileInfo file = new(path);
        // The length of a link is that of its text: the size is asked of what it leads to.
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
