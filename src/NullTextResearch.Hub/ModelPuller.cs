using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Models;

namespace NullTextResearch.Hub;

/// <summary>
/// Downloads Stable Diffusion models from a hub into a cache: only the files that are needed, each checked, and nothing that is half there looks
/// whole.
/// </summary>
public sealed class ModelPuller : IDisposable
{
    // Room for the file system's own needs.
    private const long Spare = 64L << 20;

    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(500);
    private readonly ModelCache _cache;
    private readonly HubOptions _options;
    private readonly HubClient _client;

    /// <summary>Prepares; nothing is asked yet.</summary>
    /// <param name="cache">Where models go; null takes the user's.</param>
    /// <param name="options">Which hub, as whom; null reads the environment.</param>
    /// <exception cref="HubException">A variable of the environment cannot be used.</exception>
    public ModelPuller(ModelCache? cache = null, HubOptions? options = null)
    {
        _cache = cache ?? ModelCache.FromEnvironment();
        _options = options ?? HubOptions.FromEnvironment();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Connections, 1, nameof(options));
        _client = new HubClient(_options);
    }

    /// <summary>Looks up a model and finds out what has to be fetched; downloads nothing.</summary>
    /// <param name="model">The model; without a revision, main is meant.</param>
    /// <param name="variant">Wanted set of weights, such as fp16: a network that does not have it brings its default ones. Null takes the default ones.</param>
    /// <param name="progress">Is told about waits and repeats; null for nobody.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">It cannot be looked up, or is no Stable Diffusion model with safetensors weights.</exception>
    public async Task<PullPlan> PlanAsync(
        ModelName model,
        string? variant = null,
        IProgress<PullProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(model);
        HubRevision found = await _client
            .DescribeAsync(model, note => progress?.Report(new PullProgress(null, 0, 0, 0, note)), cancellation)
            .ConfigureAwait(false);
        List<string> notes = [];
        IReadOnlyList<HubFile> files = PipelineFiles.Select(model, found.Files, variant is "" ? null : variant, notes);
        CacheFolder folder = new(_cache.Root, model);
        HubFile[] missing = [.. files.Where(f => !IsHere(folder, found.Commit, f)).DistinctBy(f => f.Hash)];
        return new PullPlan
        {
            Model = model,
            Commit = found.Commit,
            Licence = found.Licence,
            Files = files,
            Missing = missing,
            BytesToFetch = missing.Sum(f => f.Size - Begun(folder, f)),
            Notes = notes,
        };
    }

    /// <summary>
    /// Computes the checksums of the files that are in the cache. What differs from the hub's index is deleted, so that fetching the plan that is
    /// returned brings it anew.
    /// </summary>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="progress">Is told about damaged files; null for nobody.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">A file cannot be read or deleted.</exception>
    public async Task<PullPlan> VerifyAsync(PullPlan plan, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CacheFolder folder = new(_cache.Root, plan.Model);
        HashSet<string> absent = [.. plan.Missing.Select(f => f.Hash)];
        List<HubFile> verified = [],
            missing = [.. plan.Missing];
        Dictionary<string, bool> known = new(StringComparer.Ordinal);
        foreach (HubFile file in plan.Files.Where(f => !absent.Contains(f.Hash)))
        {
            string place = CacheFolder.Content(folder.Blob(file.Hash)) is null ? SnapshotPath(folder, plan.Commit, file) : folder.Blob(file.Hash);
            if (!known.TryGetValue(place, out bool right))
            {
                known[place] = right = await HasHashAsync(place, file, cancellation).ConfigureAwait(false);
                if (!right)
                {
                    File.Delete(CacheFolder.Content(place)?.FullName ?? place);
                    missing.Add(file);
                    progress?.Report(
                        new PullProgress(null, 0, 0, 0, $"{file.Path} in the cache is damaged (its checksum differs from the hub's); it is fetched anew.")
                    );
                }
            }

            if (right)
                verified.Add(file);
        }

        return plan with
        {
            Missing = missing,
            BytesToFetch = missing.Sum(f => f.Size - Begun(folder, f)),
            Verified = verified,
        };
    }

    /// <summary>
    /// Computes, without a network, the checksums of a model's files in the cache, as far as their names have them: contents are named by their hash
    /// there.
    /// </summary>
    /// <param name="cache">Where it is.</param>
    /// <param name="model">The model.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>
    /// Files whose content has the hash of its name, those whose content has not, and those that are not named by a hash, which nothing can be said
    /// about.
    /// </returns>
    /// <exception cref="ModelNotFoundException">It is not in the cache.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<(IReadOnlyList<string> Right, IReadOnlyList<string> Damaged, IReadOnlyList<string> Unknown)> VerifyOfflineAsync(
        ModelCache cache,
        ModelName model,
        CancellationToken cancellation = default
    )
    {
        ArgumentNullException.ThrowIfNull(cache);
        string snapshot =
            cache.Find(model)
            ?? throw new ModelNotFoundException(model, $"{model} is not in the cache {cache.Root}, or not complete, so there is nothing to verify.");
        List<string> right = [],
            damaged = [],
            unknown = [];
        foreach (string path in Directory.GetFiles(snapshot, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(snapshot, path).Replace(Path.DirectorySeparatorChar, '/');
            FileInfo? content = CacheFolder.Content(path);
            if (content is null)
                damaged.Add(name);
            else if (!CacheFolder.IsHash(content.Name))
                unknown.Add(name);
            else
                (
                    await HasHashAsync(content.FullName, new HubFile(name, content.Length, content.Name), cancellation).ConfigureAwait(false) ? right : damaged
                ).Add(name);
        }

        return (right, damaged, unknown);
    }

    private static async Task<bool> HasHashAsync(string path, HubFile file, CancellationToken cancellation)
    {
        const int Chunk = 1 << 20;
        using IncrementalHash digest = file.NewDigest();
        await using FileStream stream = new(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            bufferSize: 0,
            FileOptions.Asynchronous | FileOptions.SequentialScan
        );
        byte[] buffer = new byte[Chunk];
        int got;
        while ((got = await stream.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0)
            digest.AppendData(buffer, 0, got);
        return Convert.ToHexStringLower(digest.GetHashAndReset()) == file.Hash;
    }

    /// <summary>Fetches what is missing, and makes the model known to the cache when all of it is there.</summary>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="progress">Is told how far it is, from several threads; null for nobody.</param>
    /// <param name="cancellation">Stops it. What is there stays, and the next run goes on with it, as after any other end.</param>
    /// <returns>The folder to load from.</returns>
    /// <exception cref="HubException">It cannot be done; the message says what to do.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be written.</exception>
    public async Task<string> FetchAsync(PullPlan plan, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CacheFolder folder = new(_cache.Root, plan.Model);
        if (plan.Missing.Count > 0)
            RequireSpace(plan);
        try
        {
            Tally tally = new(plan.Missing, progress);
            // Large ones first: the small ones fill the gaps.
            await Parallel
                .ForEachAsync(
                    plan.Missing.OrderByDescending(f => f.Size),
                    new ParallelOptions { MaxDegreeOfParallelism = _options.Connections, CancellationToken = cancellation },
                    async (file, stop) =>
                    {
                        using FileStream held = await LockAsync(folder, file, tally, stop).ConfigureAwait(false);
                        // Another process may have brought it meanwhile.
                        if (!IsHere(folder, plan.Commit, file))
                        {
                            BlobDownload download = new(
                                _client,
                                plan.Model,
                                _client.FileAddress(plan.Model, plan.Commit, file),
                                file,
                                folder,
                                bytes => tally.Report(file, bytes, null),
                                note => tally.Report(file, null, note)
                            );
                            await download.RunAsync(_client.Pipeline(note => tally.Report(file, null, note)), stop).ConfigureAwait(false);
                        }

                        tally.Report(file, file.Size, null);
                    }
                )
                .ConfigureAwait(false);
            return Publish(plan, folder);
        }
        catch (Exception e) when (Disk.IsFull(e))
        {
            throw new HubException(
                HubProblem.DiskFull,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The disk is full ({_cache.Root}, {_options.FreeSpace(_cache.Root) / 1e9:0.0} GB free). What was fetched is kept: free some space, "
                        + $"or name another place in HF_HOME, and run the same command again."
                ),
                e
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private void RequireSpace(PullPlan plan)
    {
        long free = _options.FreeSpace(_cache.Root);
        if (plan.BytesToFetch + Spare > free)
            throw new HubException(
                HubProblem.DiskFull,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{plan.Model} needs {plan.BytesToFetch / 1e9:0.00} GB more, and {_cache.Root} has {free / 1e9:0.00} GB free; nothing was downloaded. "
                        + $"Free some space, name another place in HF_HOME, or take smaller weights with --variant fp16."
                )
            );
    }

    /// <summary>Whether a file's content is in the cache, as a blob or, where links cannot be made, in the snapshot.</summary>
    private static bool IsHere(CacheFolder folder, string commit, HubFile file) =>
        CacheFolder.Content(folder.Blob(file.Hash))?.Length == file.Size || IsPlain(SnapshotPath(folder, commit, file), file);

    private static bool IsPlain(string path, HubFile file) => new FileInfo(path) is { Exists: true, LinkTarget: null } plain && plain.Length == file.Size;

    private static string SnapshotPath(CacheFolder folder, string commit, HubFile file) => Path.Combine([folder.Snapshot(commit), .. file.Path.Split('/')]);

    private static long Begun(CacheFolder folder, HubFile file) =>
        CacheFolder.Content(folder.Unfinished(file.Hash)) is { } begun && begun.Length <= file.Size ? begun.Length : 0;

    /// <summary>Waits until no other process fetches this content; Python's library keeps the same lock.</summary>
    private async Task<FileStream> LockAsync(CacheFolder folder, HubFile file, Tally tally, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder.Locks);
        string path = Path.Combine(folder.Locks, file.Hash + ".lock");
        bool told = false;
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (!Disk.IsFull(e) && File.Exists(path))
            {
                if (!told)
                    tally.Report(file, null, $"Another process is fetching {file.Path}; waiting for it.");
                told = true;
            }

            await Task.Delay(LockInterval, _options.Clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Makes the snapshot. Its index comes last and the revision's name after it: whatever is interrupted before is not found.</summary>
    private string Publish(PullPlan plan, CacheFolder folder)
    {
        foreach (HubFile file in plan.Files.OrderBy(f => f.Path == "model_index.json"))
        {
            string path = SnapshotPath(folder, plan.Commit, file),
                blob = folder.Blob(file.Hash);
            if (IsPlain(path, file) || (new FileInfo(path).LinkTarget is not null && CacheFolder.Content(path)?.FullName == blob))
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (_options.Link(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, blob)))
                continue;
            // Without links the snapshot gets the content itself, as Python's library has it; a content that several of its files share is copied for
            // all but the last.
            bool shared = plan.Files.Any(f => f != file && f.Hash == file.Hash && !IsPlain(SnapshotPath(folder, plan.Commit, f), f));
            string whole = shared ? $"{path}.{Guid.NewGuid():N}" : blob;
            if (shared)
                File.Copy(blob, whole);
            File.Move(whole, path, overwrite: true);
        }

        if (plan.Model.Revision != plan.Commit)
            WholeFile.Write(folder.Reference(plan.Model.Revision ?? ModelName.MainRevision), Encoding.UTF8.GetBytes(plan.Commit));
        return folder.Snapshot(plan.Commit);
    }

    /// <summary>Adds up the files' progress.</summary>
    private sealed class Tally(IReadOnlyList<HubFile> files, IProgress<PullProgress>? progress)
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, long> _done = files.ToDictionary(f => f.Hash, _ => 0L, StringComparer.Ordinal);
        private readonly long _of = files.Sum(f => f.Size);
        private long _sum;

        public void Report(HubFile file, long? bytes, string? note)
        {
            if (progress is null)
                return;
            // Under the lock, so that reports arrive in order.
            lock (_gate)
            {
                if (bytes is { } now)
                {
                    _sum += now - _done[file.Hash];
                    _done[file.Hash] = now;
                }

                progress.Report(new PullProgress(file, _done[file.Hash], _sum, _of, note));
            }
        }
    }
}
