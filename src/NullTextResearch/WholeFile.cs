namespace NullTextResearch;

/// <summary>Writes files so that a reader, and a run that was killed, sees all of a file or nothing: beside it first, then in its place.</summary>
public static class WholeFile
{
    /// <summary>Writes a file; an earlier one is replaced once the new one is complete, and stays as it was where that fails.</summary>
    /// <param name="path">The file; its folder is made where missing.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">The disk is full or the place cannot be written.</exception>
    public static void Write(string path, Action<FileStream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        string partial = $"{full}.{Guid.NewGuid():N}.partial";
        try
        {
            using (FileStream file = new(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16)) write(file);
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
}
