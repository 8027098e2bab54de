namespace NullTextResearch;

/// <summary>
/// Keeps a folder, or the place of a file, for one writer. The system's own file lock does it, which ends with the process, however it
/// ends; the file that carries it goes when the lock is given back, and one that a killed process left is taken over. Taking a lock also
/// shows that the place can be written, so that nobody learns that after hours of work.
/// </summary>
public sealed class OutputLock : IDisposable
{
    /// <summary>Name of the file in a folder that carries its lock.</summary>
    public const string FileName = ".lock";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    // EAGAIN of Linux and of macOS; ERROR_SHARING_VIOLATION of Windows.
    private static readonly int[] HeldCodes = [11, 35, unchecked((int)0x80070020)];

    // Folders that locks of this process have made, and what guards them: within a process a folder is taken, or given back and removed, in one move.
    // Another process can still take it in between; whichever of the two then leaves it empty leaves it there.
    private static readonly Lock Turn = new();
    private static readonly HashSet<string> Made = new(StringComparer.Ordinal);

    private readonly FileStream _file;

    private OutputLock(FileStream file) => _file = file;

    /// <summary>Takes a folder, and removes what killed writers left half written in it.</summary>
    /// <param name="folder">The folder; made where it is missing, and removed again with the lock if nothing was put into it.</param>
    /// <param name="wait">How long to wait for another writer.</param>
    /// <exception cref="OutputInUseException">Another writer has it.</exception>
    /// <exception cref="IOException">It cannot be made or written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
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

    /// <summary>Takes the place of a file.</summary>
    /// <param name="file">The file, which need not exist; its folder is made where it is missing, and removed again if it stays empty.</param>
    /// <exception cref="OutputInUseException">Another writer has it.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static OutputLock OnFile(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        string full = Path.GetFullPath(file);
        if (Directory.Exists(full))
            throw new IOException($"{file} is a folder, and a file is to be written there; name a file.");
        OutputLock held = Take(file, Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}{FileName}", TimeSpan.Zero);
        WholeFile.SweepBeside(full);
        return held;
    }

    /// <summary>
    /// Removes what a killed writer left in a folder that is only read from here on: its lock, and what it left half written. Where
    /// somebody is writing, or this process may not, all stays as it is.
    /// </summary>
    /// <param name="folder">The folder, which need not exist.</param>
    /// <returns>Whether nothing of the kind is left.</returns>
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
            // A reader needs no tidy folder, and says nothing of it.
            return false;
        }
    }

    /// <summary>Removes what killed writers left half written in a folder that belongs to the locked one.</summary>
    /// <param name="folder">The folder, which need not exist.</param>
    /// <exception cref="IOException">A folder that was left cannot be removed.</exception>
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
            // Work that was refused or cancelled before it wrote anything leaves nothing.
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
                    // Another process has just put something into it, or removed it: then it is theirs.
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
                    // Of these options the runtime makes a lock that is safe to delete: one that finds its file replaced is taken anew.
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
                // The one before gave back an empty folder and removed it in this moment.
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

    // Left as it is, so that a full disk is told as one. ENOSPC and EDQUOT; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private static bool IsDiskFull(IOException e) => e.HResult is 28 or 122 or unchecked((int)0x80070027) or unchecked((int)0x80070070);
}
