namespace NullTextResearch;

/// <summary>
/// Reserves a folder, or the place of a file, for one writer. It uses the system's file lock, which ends with the process, however the process ends. The lock
/// file is deleted when the lock is released; one left by a killed process is taken over. Taking a lock also shows that the place is writable, so that a
/// problem does not surface after hours of work.
/// </summary>
public sealed class OutputLock : IDisposable
{
    /// <summary>Name of a folder's lock file.</summary>
    public const string FileName = ".lock";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    // EAGAIN of Linux and of macOS; ERROR_SHARING_VIOLATION of Windows.
    private static readonly int[] HeldCodes = [11, 35, unchecked((int)0x80070020)];

    // Folders created by locks of this process, and the lock that guards them: within a process, a folder is taken, or released and removed, atomically.
    // Another process can still take it in between; the folder may then be left behind empty.
    private static readonly Lock Turn = new();
    private static readonly HashSet<string> Made = new(StringComparer.Ordinal);

    private readonly FileStream _file;

    private OutputLock(FileStream file) => _file = file;

    /// <summary>Locks a folder and removes unfinished files that killed writers left in it.</summary>
    /// <param name="folder">The folder; created if it is missing, and removed with the lock if nothing was put into it.</param>
    /// <param name="wait">How long to wait for another writer.</param>
    /// <exception cref="OutputInUseException">Another writer holds it.</exception>
    /// <exception cref="IOException">It cannot be created or written.</exception>
    /// <exception cref="UnauthorizedAccessException">Write access is denied.</exception>
    public static OutputLock OnFolder(string folder, TimeSpan wait = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        OutputLock held = Take(folder, folder, FileName, wait);
        try
        {
            WholeFile.Sweep(folder);
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Locks the place of a file.</summary>
    /// <param name="file">The file, which need not exist; its folder is created if it is missing, and removed again if it stays empty.</param>
    /// <exception cref="OutputInUseException">Another writer holds it.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Write access is denied.</exception>
    public static OutputLock OnFile(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string full = Path.GetFullPath(file);
        if (Directory.Exists(full))
            throw new IOException($"{file} is a folder, but a file is to be written there; name a file.");
        OutputLock held = Take(file, Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}{FileName}", TimeSpan.Zero);
        WholeFile.SweepBeside(full);
        return held;
    }

    /// <summary>
    /// Removes what a killed writer left in a folder that is only read from now on: its lock and its unfinished files. If another process is writing, or this
    /// one may not, nothing changes.
    /// </summary>
    /// <param name="folder">The folder, which need not exist.</param>
    /// <returns>Whether no such files are left.</returns>
    public static bool Tidy(string folder)
    {
        if (!File.Exists(Path.Combine(folder, FileName)))
            return true;
        try
        {
            OnFolder(folder).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A reader does not need the cleanup, so this is not reported.
            return false;
        }
    }

    /// <summary>Removes unfinished files of killed writers from a folder that belongs to the locked one.</summary>
    /// <param name="folder">The folder, which need not exist.</param>
    /// <exception cref="IOException">A leftover folder cannot be removed.</exception>
    public void Sweep(string folder)
    {
        ObjectDisposedException.ThrowIf(!_file.CanWrite, this);
        if (Directory.Exists(folder))
            WholeFile.Sweep(folder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Turn)
        {
            _file.Dispose();
            // Work that was rejected or cancelled before it wrote anything leaves nothing behind.
            for (string? folder = Path.GetDirectoryName(_file.Name); folder is not null && Made.Contains(folder); folder = Path.GetDirectoryName(folder))
            {
                try
                {
                    if (Directory.EnumerateFileSystemEntries(folder).Any(entry => !entry.EndsWith(FileName, StringComparison.Ordinal)))
                        return;
                    Directory.Delete(folder);
                }
                catch (IOException)
                {
                    // Another process has just put something into it, or removed it: the folder now belongs to that process.
                    return;
                }

                Made.Remove(folder);
            }
        }
    }

    private static OutputLock Take(string place, string folder, string name, TimeSpan wait)
    {
        long began = TimeProvider.System.GetTimestamp();
        for (int vanished = 0; ; )
        {
            try
            {
                string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
                lock (Turn)
                {
                    for (string? at = full; at is not null && !Directory.Exists(at); at = Path.GetDirectoryName(at))
                        Made.Add(at);
                    Directory.CreateDirectory(full);
                    // With these options the runtime creates a lock that is safe to delete: if its file was replaced, it is taken again.
                    return new OutputLock(
                        new FileStream(Path.Combine(full, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose)
                    );
                }
            }
            catch (IOException e) when (HeldCodes.Contains(e.HResult))
            {
                if (TimeProvider.System.GetElapsedTime(began) >= wait)
                    throw new OutputInUseException(
                        $"{place} is in use: another process is writing there. Wait until it ends, stop it, or choose another place.",
                        e
                    );
            }
            catch (IOException e) when (e is DirectoryNotFoundException or FileNotFoundException && ++vanished < 1000)
            {
                // The previous holder has just released and removed an empty folder.
                continue;
            }
            catch (UnauthorizedAccessException e)
            {
                throw new UnauthorizedAccessException($"{place} cannot be written ({e.Message}).", e);
            }
            catch (IOException e) when (e is not OutputInUseException && !IsDiskFull(e))
            {
                throw new IOException($"{place} cannot be written ({e.Message}). Choose another place.", e);
            }

            Thread.Sleep(Poll);
        }
    }

    // Passed on unchanged, so that a full disk is reported as such. ENOSPC and EDQUOT; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private static bool IsDiskFull(IOException e) => e.HResult is 28 or 122 or unchecked((int)0x80070027) or unchecked((int)0x80070070);
}
