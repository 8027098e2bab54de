using System.Text.RegularExpressions;

namespace NullTextResearch;

/// <summary>
/// Writes files so that a reader, even after a killed run, sees all of a file or nothing: first under a temporary name next to it, then in its place.
/// </summary>
public static partial class WholeFile
{
    /// <summary>Extension of everything that is not finished yet.</summary>
    private const string Ending = ".partial";

    // Creating a file and locking it are microseconds apart: an unlocked file of this age no longer has a writer.
    private static readonly TimeSpan SurelyDead = TimeSpan.FromMinutes(1);

    /// <summary>Writes a file; an earlier one is replaced once the new one is complete, and stays unchanged if that fails.</summary>
    /// <param name="path">The file; its folder is created if missing.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">The disk is full or the file cannot be written.</exception>
    public static void Write(string path, Action<FileStream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string full = Path.GetFullPath(path),
            folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        SweepBeside(full, SurelyDead);
        string partial = NameFor(full);
        try
        {
            // Renamed while it is open: as long as it has this name, its lock shows that it has a writer.
            using FileStream file = new(partial, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 1 << 16);
            write(file);
            file.Flush();
            File.Move(partial, full, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Writes bytes.</summary>
    /// <param name="path">As for <see cref="Write(string, Action{FileStream})"/>.</param>
    /// <param name="bytes">The whole content.</param>
    /// <exception cref="IOException">As for <see cref="Write(string, Action{FileStream})"/>.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        byte[] content = bytes.ToArray();
        Write(path, file => file.Write(content));
    }

    /// <summary>A name next to a file or folder for unfinished content; it is swept if its writer was killed.</summary>
    internal static string NameFor(string path) => $"{path}.{Guid.NewGuid():N}{Ending}";

    /// <summary>
    /// Removes unfinished files of killed writers from a folder. Only for the holder of the folder's lock: nobody else creates folders of this kind there.
    /// </summary>
    /// <param name="folder">The folder; subfolders are not searched.</param>
    internal static void Sweep(string folder)
    {
        foreach (string path in Directory.GetDirectories(folder, $"*{Ending}").Where(IsOurs))
            Directory.Delete(path, recursive: true);
        Sweep(Directory.GetFiles(folder, $"*{Ending}"));
    }

    /// <summary>Removes what killed writers of a file left next to it.</summary>
    /// <param name="path">Full path of the file.</param>
    /// <param name="age">Minimum age; zero if there can be no other writer.</param>
    internal static void SweepBeside(string path, TimeSpan age = default)
    {
        try
        {
            Sweep(
                Directory
                    .GetFiles(Path.GetDirectoryName(path)!, $"{Path.GetFileName(path)}.*{Ending}")
                    .Where(p => DateTime.UtcNow - File.GetLastWriteTimeUtc(p) >= age)
            );
        }
        catch (UnauthorizedAccessException)
        {
            // A folder that can be written but not listed: nothing can be swept there, and nothing needs to be.
        }
    }

    private static void Sweep(IEnumerable<string> files)
    {
        foreach (string path in files.Where(IsOurs))
        {
            try
            {
                // A writer that is still active holds its lock.
                using FileStream free = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, already gone, or not ours to remove: it does no harm.
                _ = e;
            }
        }
    }

    private static bool IsOurs(string path) => OurName().IsMatch(Path.GetFileName(path));

    [GeneratedRegex(@"\.[0-9a-f]{32}\.partial$")]
    private static partial Regex OurName();
}
