using System.Globalization;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// The files that transfer one large value between languages: in shared memory if there is any, else in the folder for temporary files. Only this user can
/// read them. They are deleted when this object is disposed; files left by a killed process are deleted when the next transfer begins.
/// </summary>
internal sealed class TransferFiles : IDisposable
{
    private const string Mark = "nulltext-share-";

    // Bytes written or read at a time; a multiple of every element's size.
    private const int Piece = 1 << 20;

    private const string SharedMemory = "/dev/shm";

    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"{Mark}{Environment.ProcessId}-{Guid.NewGuid():N}");
    private int _files;

    /// <summary>Prepares to write or to receive; writes nothing yet.</summary>
    public TransferFiles() => Sweep();

    /// <summary>Folders to use, best first.</summary>
    public static IReadOnlyList<string> Folders { get; } = [.. ((string[])[SharedMemory, Path.GetTempPath()]).Where(Directory.Exists)];

    /// <summary>Prefix that the other side must use for its file names.</summary>
    public string Prefix => _prefix;

    /// <summary>Writes an array's bytes.</summary>
    /// <returns>Full path.</returns>
    /// <exception cref="CellException">No folder has room for it.</exception>
    public string Write(SharedArray array, CancellationToken cancel) => Write(array.ByteCount, array.Read, cancel);

    /// <summary>Writes text.</summary>
    /// <returns>Full path.</returns>
    /// <exception cref="CellException">No folder has room for it.</exception>
    public string Write(byte[] text, CancellationToken cancel) => Write(text.Length, (at, piece) => text.AsSpan((int)at, piece.Length).CopyTo(piece), cancel);

    /// <summary>Opens a file written by the other side.</summary>
    /// <exception cref="CellException">The file does not belong to this transfer.</exception>
    public FileStream Open(string path)
    {
        // The other side runs the user's code anyway, but only files of this transfer may be read here.
        if (
            !Path.GetFileName(path).StartsWith(_prefix, StringComparison.Ordinal)
            || !Folders.Any(f => Path.GetFullPath(path) == Path.Combine(f, Path.GetFileName(path)))
        )
            throw new CellException("ShareError", "The other language answered with a file of no known transfer; restart it.");
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <summary>Removes the files of both sides.</summary>
    public void Dispose()
    {
        foreach (string folder in Folders)
        {
            foreach (string file in Directory.EnumerateFiles(folder, _prefix + "*"))
                File.Delete(file);
        }
    }

    private string Write(long size, SharedArrayReader read, CancellationToken cancel)
    {
        IOException? problem = null;
        foreach (string folder in Folders)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{_prefix}-n{_files++}"));
            FileStreamOptions options = new()
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            try
            {
                using FileStream file = new(path, options);
                byte[] piece = new byte[Math.Min(Piece, size)];
                for (long at = 0; at < size; at += Piece)
                {
                    cancel.ThrowIfCancellationRequested();
                    Span<byte> part = piece.AsSpan(0, (int)Math.Min(Piece, size - at));
                    read(at, part);
                    file.Write(part);
                }

                return path;
            }
            catch (IOException e)
            {
                // Shared memory is small in containers: the next folder may have room.
                problem = e;
                File.Delete(path);
            }
        }

        throw new CellException(
            "ShareError",
            string.Create(
                CultureInfo.InvariantCulture,
                $"There is no room to transfer {size} bytes: {problem?.Message} Free some space in {string.Join(" or ", Folders)}."
            )
        );
    }

    // Deletes files left by killed processes.
    private static void Sweep()
    {
        foreach (string file in Folders.SelectMany(f => Directory.EnumerateFiles(f, Mark + "*")))
        {
            string[] parts = Path.GetFileName(file)[Mark.Length..].Split('-');
            if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int owner) || owner == Environment.ProcessId || IsAlive(owner))
                continue;
            try
            {
                File.Delete(file);
            }
            catch (UnauthorizedAccessException)
            {
                // The file belongs to another user, whose next process removes it.
            }
        }
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using System.Diagnostics.Process found = System.Diagnostics.Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
