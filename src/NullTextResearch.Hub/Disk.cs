namespace NullTextResearch.Hub;

/// <summary>What the disk can do, and how it says that it cannot.</summary>
internal static class Disk
{
    // ENOSPC and EDQUOT of Linux; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows.
    private static readonly int[] FullCodes = [28, 122, unchecked((int)0x80070027), unchecked((int)0x80070070)];

    /// <summary>Bytes free for this user where a folder lies, which need not exist yet.</summary>
    public static long FreeSpace(string folder)
    {
        string? at = Path.GetFullPath(folder);
        while (at is not null && !Directory.Exists(at))
            at = Path.GetDirectoryName(at);
        if (OperatingSystem.IsWindows() && at is not null)
            at = Path.GetPathRoot(at);
        return new DriveInfo(at ?? Path.DirectorySeparatorChar.ToString()).AvailableFreeSpace;
    }

    /// <summary>No space, a used-up quota, or a limit on the size of files, which the runtime reports as if an argument were wrong.</summary>
    public static bool IsFull(Exception e) =>
        (e is IOException && FullCodes.Contains(e.HResult))
        || (e is ArgumentOutOfRangeException && e.StackTrace?.TrimStart().StartsWith("at System.IO.RandomAccess.Write", StringComparison.Ordinal) == true);

    /// <summary>Makes a link, replacing what is there; false where the system does not let us.</summary>
    public static bool TryLink(string path, string target)
    {
        // Where nothing is in the way one call makes it, and a process that is killed leaves nothing beside it.
        bool isFree = new FileInfo(path) is { Exists: false, LinkTarget: null };
        string made = isFree ? path : $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.CreateSymbolicLink(made, target);
        }
        catch (IOException) when (isFree && new FileInfo(path).LinkTarget == target)
        {
            // Another process has just made it.
        }
        catch (Exception e) when (e is UnauthorizedAccessException or PlatformNotSupportedException || (e is IOException && !IsFull(e)))
        {
            // Windows without developer mode, and file systems such as FAT.
            return false;
        }

        if (!isFree)
            File.Move(made, path, overwrite: true);
        return true;
    }
}
