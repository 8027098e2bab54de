namespace NullTextResearch.Hub;

/// <summary>Free space, links, and recognition of a full disk.</summary>
internal static class Disk
{
    // ENOSPC and EDQUOT of Linux; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows.
    private static readonly int[] FullCodes = [28, 122, unchecked((int)0x80070027), unchecked((int)0x80070070)];

    /// <summary>Bytes available to this user on the folder's disk; the folder need not exist yet.</summary>
    public static long FreeSpace(string folder)
    {
        string? at = Path.GetFullPath(folder);
        while (at is not null && !Directory.Exists(at))
            at = Path.GetDirectoryName(at);
        if (OperatingSystem.IsWindows() && at is not null)
            at = Path.GetPathRoot(at);
        return new DriveInfo(at ?? Path.DirectorySeparatorChar.ToString()).AvailableFreeSpace;
    }

    /// <summary>Whether the disk or a quota is full, or a file size limit was hit, which the runtime reports as an invalid argument.</summary>
    public static bool IsFull(Exception e) =>
        (e is IOException && FullCodes.Contains(e.HResult))
        || (e is ArgumentOutOfRangeException && e.StackTrace?.TrimStart().StartsWith("at System.IO.RandomAccess.Write", StringComparison.Ordinal) == true);

    /// <summary>Creates a link, replacing an existing file; false if the system does not allow it.</summary>
    public static bool TryLink(string path, string target)
    {
        // If nothing is in the way, one call creates the link, so a killed process leaves no temporary file behind.
        bool isFree = new FileInfo(path) is { Exists: false, LinkTarget: null };
        string made = isFree ? path : $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.CreateSymbolicLink(made, target);
        }
        catch (IOException) when (isFree && new FileInfo(path).LinkTarget == target)
        {
            // Another process has just created it.
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
