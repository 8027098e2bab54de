using System.Globalization;
using System.Text.RegularExpressions;

namespace NullTextResearch.Models;

/// <summary>
/// The models on this machine that were downloaded from a hub. The cache is shared with Python's hub library, so a model downloaded by either serves both.
/// Nothing here uses the network.
/// </summary>
public sealed partial class ModelCache
{
    private static readonly string[] FileEndings = [".safetensors", ".ckpt", ".bin", ".pt", ".pth"];

    /// <summary>Creates a cache in a folder.</summary>
    /// <param name="root">The folder; it need not exist yet.</param>
    public ModelCache(string root)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        Root = Path.GetFullPath(root);
    }

    /// <summary>Absolute path of the cache folder.</summary>
    public string Root { get; }

    /// <summary>
    /// The user's cache: <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else <c>XDG_CACHE_HOME/huggingface/hub</c>, else
    /// <c>~/.cache/huggingface/hub</c>.
    /// </summary>
    /// <param name="environment">Reads a variable; null reads the process environment.</param>
    public static ModelCache FromEnvironment(Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        return new ModelCache(
            Expanded("HF_HUB_CACHE")
                ?? Expanded("HUGGINGFACE_HUB_CACHE")
                ?? Path.Combine(Expanded("HF_HOME") ?? Path.Combine(Expanded("XDG_CACHE_HOME") ?? Path.Combine(Home(), ".cache"), "huggingface"), "hub")
        );

        string Home() => environment("HOME") is { Length: > 0 } home ? home : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

        string? Expanded(string variable)
        {
            if (environment(variable) is not { Length: > 0 } value)
                return null;
            if (value == "~" || value.StartsWith("~/", StringComparison.Ordinal))
                value = Home() + value[1..];
            return VariableForm().Replace(value, match => environment(match.Groups["name"].Value) ?? match.Value);
        }
    }

    /// <summary>The folder to load a model from.</summary>
    /// <param name="model">
    /// An existing folder or file, which is used as is, or the name of a model in the cache: <c>owner/name</c> or <c>owner/name@revision</c>.
    /// </param>
    /// <returns>A path. Text that is neither an existing path nor a model name is returned unchanged; loading then reports the problem.</returns>
    /// <exception cref="ModelNotFoundException">
    /// The model is not in the cache or is incomplete; the message contains the command that downloads it.
    /// </exception>
    public string Resolve(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (Directory.Exists(model) || File.Exists(model) || !ModelName.TryParse(model, out ModelName? name))
            return model;
        if (FileEndings.Contains(Path.GetExtension(name.Name), StringComparer.OrdinalIgnoreCase))
            return model;
        return Find(name) ?? throw NotFound(name);
    }

    /// <summary>Finds a model's snapshot: the folder to load from.</summary>
    /// <param name="model">The model; without a revision, main is used.</param>
    /// <returns>The folder; null if the model is not in the cache or is incomplete.</returns>
    public string? Find(ModelName model)
    {
        ArgumentNullException.ThrowIfNull(model);
        CacheFolder folder = new(Root, model);
        if (folder.CommitOf(model.Revision ?? ModelName.MainRevision) is not { } commit)
            return null;
        string snapshot = folder.Snapshot(commit);
        return Directory.Exists(snapshot) && CacheFolder.Missing(snapshot).Count == 0 ? snapshot : null;
    }

    /// <summary>The name of the model that a snapshot folder belongs to.</summary>
    /// <param name="folder">Any folder, in this cache or another.</param>
    /// <returns><c>owner/name</c>, without a revision; null if the folder is not a snapshot.</returns>
    public static ModelName? NameOf(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        DirectoryInfo snapshot = new(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        return snapshot.Parent is { Name: "snapshots", Parent: { } model } ? CacheFolder.NameOf(model.Name) : null;
    }

    /// <summary>All models in the cache, sorted by name, including kinds that this library cannot load.</summary>
    public IReadOnlyList<CachedModel> List()
    {
        if (!Directory.Exists(Root))
            return [];
        return
        [
            .. Directory
                .GetDirectories(Root)
                .Order(StringComparer.Ordinal)
                .Select(f => CacheFolder.NameOf(Path.GetFileName(f)))
                .OfType<ModelName>()
                .Select(name =>
                {
                    CacheFolder folder = new(Root, name);
                    (long finished, long unfinished) = Sizes(folder);
                    return new CachedModel
                    {
                        Name = name,
                        Folder = folder.Path,
                        Revisions = folder.Revisions(),
                        Bytes = finished,
                        UnfinishedBytes = unfinished,
                    };
                }),
        ];
    }

    /// <summary>Deletes a model, or one revision of it; files that another revision needs are kept.</summary>
    /// <param name="model">The model; with a revision, only that revision is deleted.</param>
    /// <returns>The disk space freed, in bytes.</returns>
    /// <exception cref="ModelNotFoundException">The model is not in the cache.</exception>
    /// <exception cref="IOException">The model is being downloaded, or a file cannot be deleted.</exception>
    public long Remove(ModelName model)
    {
        ArgumentNullException.ThrowIfNull(model);
        CacheFolder folder = new(Root, model);
        if (!Directory.Exists(folder.Path))
            throw new ModelNotFoundException(model, $"{model.Id} is not in the cache {Root}; 'nulltext model list' shows what is.");
        RequireIdle(folder, model);
        long before = Total(folder);
        if (model.Revision is { } revision && folder.Revisions() is { Count: > 1 } revisions)
        {
            string commit =
                folder.CommitOf(revision)
                ?? throw new ModelNotFoundException(model, $"{model.Id} has no revision {revision} in the cache; it has {Listed(revisions)}.");
            foreach ((string name, _) in folder.AllReferences().Where(r => r.Commit == commit))
                File.Delete(folder.Reference(name));
            if (Directory.Exists(folder.Snapshot(commit)))
                Directory.Delete(folder.Snapshot(commit), recursive: true);
            HashSet<string> needed =
            [
                .. Directory
                    .GetFiles(folder.Snapshots, "*", SearchOption.AllDirectories)
                    .Select(CacheFolder.Content)
                    .OfType<FileInfo>()
                    .Select(f => f.FullName),
            ];
            foreach (string blob in Directory.Exists(folder.Blobs) ? Directory.GetFiles(folder.Blobs) : [])
                if (!needed.Contains(new FileInfo(blob).FullName))
                    File.Delete(blob);
            return before - Total(folder);
        }

        if (model.Revision is { } only && folder.CommitOf(only) is null)
            throw new ModelNotFoundException(model, $"{model.Id} has no revision {only} in the cache; it has {Listed(folder.Revisions())}.");
        // Delete what makes the model findable first, so an interrupted removal leaves nothing that looks like a model.
        foreach (string part in (string[])[folder.References, folder.Snapshots, folder.Path, folder.Locks])
            if (Directory.Exists(part))
                Directory.Delete(part, recursive: true);
        return before;
    }

    private ModelNotFoundException NotFound(ModelName model)
    {
        CacheFolder folder = new(Root, model);
        string revision = model.Revision ?? ModelName.MainRevision;
        string command = PullCommand(model);
        IReadOnlyList<CachedRevision> revisions = folder.Revisions();
        if (folder.CommitOf(revision) is { } commit && Directory.Exists(folder.Snapshot(commit)))
            return new(
                model,
                $"{model} is in the cache, but incomplete: it lacks {string.Join(", ", CacheFolder.Missing(folder.Snapshot(commit)))}. Download the "
                    + $"missing parts with: {command}"
            );
        if (revisions.Any(r => r.Missing.Count == 0))
            return new(
                model,
                $"{model.Id} is in the cache, but not its revision {revision}; available: {Listed(revisions)}. Use {model.Id}@REVISION to name one, or "
                    + $"download it with: {command}"
            );
        if (Sizes(folder).Unfinished is > 0 and long unfinished)
            return new(
                model,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The download of {model} is not finished ({unfinished / 1e9:0.00} GB of partial files). Resume it with: {command}"
                )
            );
        return new(model, $"There is no folder {model}, and no model of that name in the cache {Root}. Download it with: {command}");
    }

    /// <summary>The command that downloads a model.</summary>
    private static string PullCommand(ModelName model) =>
        model.Revision is null ? $"nulltext model pull {model.Id}" : $"nulltext model pull {model.Id} --revision {model.Revision}";

    private static string Listed(IReadOnlyList<CachedRevision> revisions) =>
        revisions.Count == 0
            ? "none"
            : string.Join(", ", revisions.Select(r => r.References.Count > 0 ? string.Join(" or ", r.References) : r.Commit[..Math.Min(8, r.Commit.Length)]));

    private static void RequireIdle(CacheFolder folder, ModelName model)
    {
        if (!Directory.Exists(folder.Locks))
            return;
        foreach (string path in Directory.GetFiles(folder.Locks, "*.lock"))
        {
            try
            {
                using FileStream free = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (File.Exists(path))
            {
                throw new IOException($"{model.Id} is being downloaded by another process, so nothing was removed; stop the download first.", e);
            }
        }
    }

    private static long Total(CacheFolder folder) => Sizes(folder) is var (finished, unfinished) ? finished + unfinished : 0;

    // File contents, plus snapshot files that are not links (on systems without links).
    private static (long Finished, long Unfinished) Sizes(CacheFolder folder)
    {
        long finished = 0,
            unfinished = 0;
        foreach (string path in Directory.Exists(folder.Blobs) ? Directory.GetFiles(folder.Blobs) : [])
        {
            long bytes = CacheFolder.Content(path)?.Length ?? 0;
            if (Path.GetExtension(path).Length == 0)
                finished += bytes;
            else
                unfinished += bytes;
        }

        if (Directory.Exists(folder.Snapshots))
            finished += Directory
                .GetFiles(folder.Snapshots, "*", SearchOption.AllDirectories)
                .Select(f => new FileInfo(f))
                .Where(f => f.LinkTarget is null)
                .Sum(f => f.Length);
        return (finished, unfinished);
    }

    [GeneratedRegex(@"\$(?:\{(?<name>\w+)\}|(?<name>\w+))")]
    private static partial Regex VariableForm();
}
