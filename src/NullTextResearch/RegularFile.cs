using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NullTextResearch;

/// <summary>
/// The one place where files that others made are opened. A folder, a named pipe (which would wait for a writer for ever), a device or a link that
/// leads nowhere is refused by what it is, before anything is read.
/// </summary>
public static class RegularFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What keeps a path from being read as a file; null where nothing does.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>The rest of a sentence that begins with the path.</returns>
    public static string? ProblemOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            return "is no name of a file";
        if (Directory.Exists(path))
            return "is a folder, where a file is needed";
        FileInfo file = new(path);
        if (file.LinkTarget is { } target && !Leads(file))
            return $"is a link to {target}, where no file is: it leads nowhere, or in a circle";
        if (!file.Exists)
            return "is missing";
        return KindOf(path) switch
        {
            Kind.Pipe => "is a named pipe, where a file is needed: write what it would deliver into a file",
            Kind.Device => "is a device, where a file is needed",
            Kind.Socket => "is a socket, where a file is needed",
            _ => null,
        };
    }

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file, or a link to one.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="UnreadableFileException">There is none, it is something else, or it may not be read.</exception>
    public static SafeFileHandle Open(string path)
    {
        if (ProblemOf(path) is { } problem)
            throw new UnreadableFileException(path, problem);
        try
        {
            return File.OpenHandle(path);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnreadableFileException(path, "may not be read: change its permissions", e);
        }
        catch (IOException e)
        {
            throw new UnreadableFileException(path, $"cannot be opened ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">The most bytes that it may have; its length is looked at before anything is read.</param>
    /// <exception cref="UnreadableFileException">As for <see cref="Open"/>; or it is larger, or a disk error.</exception>
    public static byte[] ReadAll(string path, int most)
    {
        using SafeFileHandle handle = Open(path);
        try
        {
            long length = RandomAccess.GetLength(handle);
            if (length > most)
                throw new UnreadableFileException(path, $"has {length} bytes, and a file of this kind has {most} at most: it is something else");
            byte[] bytes = new byte[length];
            int read = 0;
            while (read < bytes.Length && RandomAccess.Read(handle, bytes.AsSpan(read), read) is > 0 and int n)
                read += n;
            return read == bytes.Length ? bytes : bytes[..read];
        }
        catch (IOException e) when (e is not UnreadableFileException)
        {
            throw new UnreadableFileException(path, $"cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Reads a whole file of text.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">The most bytes that it may have.</param>
    /// <exception cref="UnreadableFileException">As for <see cref="ReadAll"/>; or it is no UTF-8.</exception>
    public static string ReadText(string path, int most)
    {
        byte[] bytes = ReadAll(path, most);
        try
        {
            ReadOnlySpan<byte> text = bytes;
            return Strict.GetString(text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text);
        }
        catch (DecoderFallbackException e)
        {
            throw new UnreadableFileException(path, ForeignContent.Of(bytes) is { } what ? $"is {what}" : $"is no UTF-8 text (byte {e.Index})", e);
        }
    }

    // A link whose target is gone exists by itself.
    private static bool Leads(FileInfo link)
    {
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true) is { Exists: true };
        }
        // Too many links: a circle.
        catch (IOException)
        {
            return false;
        }
    }

    private enum Kind
    {
        Unknown,
        Pipe,
        Device,
        Socket,
    }

    // .NET tells files from folders only, and opening a pipe already waits. Elsewhere than on Linux such things hardly lie in a folder of models.
    private static unsafe Kind KindOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return Kind.Unknown;
        const int CurrentFolder = -100,
            TypeOnly = 1,
            SizeOfStatx = 256,
            OffsetOfMode = 28;
        byte* status = stackalloc byte[SizeOfStatx];
        try
        {
            if (statx(CurrentFolder, Strict.GetBytes(path + '\0'), 0, TypeOnly, status) != 0)
                return Kind.Unknown;
        }
        // An old C library: the file is opened as it is.
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException or EncoderFallbackException)
        {
            return Kind.Unknown;
        }
        return (*(ushort*)(status + OffsetOfMode) & 0xF000) switch
        {
            0x1000 => Kind.Pipe,
            0x2000 or 0x6000 => Kind.Device,
            0xC000 => Kind.Socket,
            _ => Kind.Unknown,
        };
    }

    // statx is laid out alike on every processor; stat is not.
    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern unsafe int statx(int folder, byte[] path, int flags, uint mask, byte* status);
}
