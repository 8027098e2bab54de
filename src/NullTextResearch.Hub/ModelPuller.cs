using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Models;

namespace NullTextResearch.Hub;

/// <summary>
/// Downloads Stable Diffusion models from a hub into a cache: only the files that are needed, each verified. A partial download never looks
/// complete.
/// </summary>
public sealed class ModelPuller : IDisposable
{
    // Reserve for the file system itself.
    private const long Spare = 64L << 20;

    private static readonly TimeSpan LockInterval = TimeSpan.FromMilliseconds(500);
    private readonly ModelCache _cache;
    private readonly HubOptions _options;
    private readonly HubClient _client;

    /// <summary>Creates the puller; sends no request yet.</summary>
    /// <param name="cache">Where models are stored; null for the user's cache.</param>
    /// <param name="options">Hub and token; null reads the environment.</param>
    /// <exception cref="HubException">An environment variable has an invalid value.</exception>
    public ModelPuller(ModelCache? cache = null, HubOptions? options = null)
    {
        _cache = cache ?? ModelCache.FromEnvironment();
        _options = options ?? HubOptions.FromEnvironment();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Connections, 1, nameof(options));
        _client = new HubClient(_options);
    }

    /// <summary>Looks up a model and determines which files must be fetched; downloads nothing.</summary>
    /// <param name="model">The model; without a revision, main is used.</param>
    /// <param name="variant">Requested variant of the weights, such as fp16; networks without it use their default weights. Null for the default.</param>
    /// <param name="progress">Receives notes about waits and retries; null: no progress is reported.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="HubException">The model cannot be looked up, or is not a Stable Diffusion model with safetensors weights.</exception>
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
    /// Computes the checksums of the files in the cache. Files that differ from the hub's index are deleted, so fetching the returned plan downloads
    /// them again.
    /// </summary>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="progress">Receives notes about damaged files; null: no progress is reported.</param>
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
                        new PullProgress(null, 0, 0, 0, $"{file.Path} in the cache is damaged (its checksum differs from the hub's); it will be fetched again.")
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
    /// Computes the checksums of a model's files in the cache without a network. This works for files that the cache names by the hash of their
    /// content.
    /// </summary>
    /// <param name="cache">The cache that contains the model.</param>
    /// <param name="model">The model.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>
    /// Files whose content matches the hash in their name, files whose content does not, and files that are not named by a hash, so they cannot be
    /// verified.
    /// </returns>
    /// <exception cref="ModelNotFoundException">The model is not in the cache.</exception>
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

    /// <summary>Fetches the missing files and, once all are present, publishes the model in the cache.</summary>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="progress">Receives progress reports from several threads; null: no progress is reported.</param>
    /// <param name="cancellation">Cancels the download. Data fetched so far is kept and the next run resumes from it, as after any other interruption.</param>
    /// <returns>The folder to load from.</returns>
    /// <exception cref="HubException">The download failed; the message says what to do.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache is not writable.</exception>
    public async Task<string> FetchAsync(PullPlan plan, IProgress<PullProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CacheFolder folder = new(_cache.Root, plan.Model);
        if (plan.Missing.Count > 0)
            RequireSpace(plan);
        try
        {
            Tally tally = new(plan.Missing, progress);
            // Large files first; small ones fill the gaps.
            await Parallel
                .ForEachAsync(
                    plan.Missing.OrderByDescending(f => f.Size),
                    new ParallelOptions { MaxDegreeOfParallelism = _options.Connections, CancellationToken = cancellation },
                    async (file, stop) =>
                    {
                        using FileStream held = await LockAsync(folder, file, tally, stop).ConfigureAwait(false);
                        // Another process may have fetched it in the meantime.
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
                    $"The disk is full ({_cache.Root}, {_options.FreeSpace(_cache.Root) / 1e9:0.0} GB free). Data fetched so far is kept: free some space, "
                        + $"or set HF_HOME to another folder, and run the same command again."
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
                        + $"Free some space, set HF_HOME to another folder, or use smaller weights with --variant fp16."
                )
            );
    }

    /// <summary>Whether a file's content is in the cache, as a blob or, if links cannot be created, in the snapshot.</summary>
    private static bool IsHere(CacheFolder folder, string commit, HubFile file) =>
        CacheFolder.Content(folder.Blob(file.Hash))?.Length == file.Size || IsPlain(SnapshotPath(folder, commit, file), file);

    private static bool IsPlain(string path, HubFile file) => new FileInfo(path) is { Exists: true, LinkTarget: null } plain && plain.Length == file.Size;

    private static string SnapshotPath(CacheFolder folder, string commit, HubFile file) => Path.Combine([folder.Snapshot(commit), .. file.Path.Split('/')]);

    private static long Begun(CacheFolder folder, HubFile file) =>
        CacheFolder.Content(folder.Unfinished(file.Hash)) is { } begun && begun.Length <= file.Size ? begun.Length : 0;

    /// <summary>Waits until no other process is fetching this content; Python's huggingface_hub uses the same lock.</summary>
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

    /// <summary>Creates the snapshot. Its index is written last, then the revision's reference, so an interrupted download is never found as a model.</summary>
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
            // Without links the snapshot holds the content itself, as in Python's huggingface_hub; content shared by several files is copied for all but
            // the last.
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
