using System.Text.RegularExpressions;

namespace NullTextResearch;

/// <summary>Writes files so that a reader, and a run that was killed, sees all of a file or nothing: beside it first, then in its place.</summary>
public static partial class WholeFile
{
    /// <summary>Ending of everything that is not finished yet.</summary>
    private const string Ending = ".partial";

    // Between making a file and locking it lie microseconds: what is this old and not locked has no writer any more.
    private static readonly TimeSpan SurelyDead = TimeSpan.FromMinutes(1);

    /// <summary>Writes a file; an earlier one is replaced once the new one is complete, and stays as it was where that fails.</summary>
    /// <param name="path">The file; its folder is made where missing.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">The disk is full or the place cannot be written.</exception>
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
            // Renamed while it is open: as long as it has this name, its lock tells that it has a writer.
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

    /// <summary>A name beside a file or folder for what is not finished yet; it is swept when its writer was killed.</summary>
    internal static string NameFor(string path) => $"{path}.{Guid.NewGuid():N}{Ending}";

    /// <summary>
    /// Removes from a folder what killed writers left half written. For the holder of the folder's lock: nobody else makes folders of this kind
    /// there.
    /// </summary>
    /// <param name="folder">The folder; folders in it are not looked into.</param>
    internal static void Sweep(string folder)
    {
        foreach (string path in Directory.GetDirectories(folder, $"*{Ending}").Where(IsOurs))
            Directory.Delete(path, recursive: true);
        Sweep(Directory.GetFiles(folder, $"*{Ending}"));
    }

    /// <summary>Removes what killed writers of a file left beside it.</summary>
    /// <param name="path">Full path of the file.</param>
    /// <param name="age">How old it must be; nothing where no other writer can be about.</param>
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
            // A folder that may be written and not listed: nothing can be swept there, and nothing needs to be.
        }
    }

    private static void Sweep(IEnumerable<string> files)
    {
        foreach (string path in files.Where(IsOurs))
        {
            try
            {
                // Somebody who is still writing has it locked.
                using FileStream free = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, gone meanwhile, or somebody else's to remove: it is in nobody's way.
                _ = e;
            }
        }
    }

    private static bool IsOurs(string path) => OurName().IsMatch(Path.GetFileName(path));

    [GeneratedRegex(@"\.[0-9a-f]{32}\.partial$")]
    private static partial Regex OurName();
}
