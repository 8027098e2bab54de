using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NullTextResearch;

/// <summary>
/// The only place where foreign files are opened. A folder, a named pipe (which would wait for a writer forever), a device or a broken link is rejected as such
/// before anything is read.
/// </summary>
public static class RegularFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Why a path cannot be read as a file; null if it can.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>The rest of a sentence that begins with the path.</returns>
    public static string? ProblemOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
            return "is not a file name";
        if (Directory.Exists(path))
            return "is a folder, but a file is needed";
        FileInfo file = new(path);
        if (file.LinkTarget is { } target && !Leads(file))
            return $"is a broken link to {target}: the target is missing, or the links form a loop";
        if (!file.Exists)
            return "is missing";
        return KindOf(path) switch
        {
            Kind.Pipe => "is a named pipe, but a file is needed: write its data into a file",
            Kind.Device => "is a device, but a file is needed",
            Kind.Socket => "is a socket, but a file is needed",
            _ => null,
        };
    }

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">The file, or a link to one.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="UnreadableFileException">It is missing, it is something else, or access is denied.</exception>
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
            throw new UnreadableFileException(path, "cannot be read (access denied): change its permissions", e);
        }
        catch (IOException e)
        {
            throw new UnreadableFileException(path, $"cannot be opened ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Maximum size in bytes; checked before anything is read.</param>
    /// <exception cref="UnreadableFileException">As for <see cref="Open"/>; or it is larger, or a disk error occurs.</exception>
    public static byte[] ReadAll(string path, int most)
    {
        using SafeFileHandle handle = Open(path);
        try
        {
            long length = RandomAccess.GetLength(handle);
            if (length > most)
                throw new UnreadableFileException(path, $"has {length} bytes, but a file of this kind has at most {most}: it is something else");
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
    /// <param name="most">Maximum size in bytes.</param>
    /// <exception cref="UnreadableFileException">As for <see cref="ReadAll"/>; or it is not UTF-8.</exception>
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
            throw new UnreadableFileException(path, ForeignContent.Of(bytes) is { } what ? $"is {what}" : $"is not UTF-8 text (byte {e.Index})", e);
        }
    }

    // A link exists even if its target is gone.
    private static bool Leads(FileInfo link)
    {
        try
        {
            return link.ResolveLinkTarget(returnFinalTarget: true) is { Exists: true };
        }
        // Too many links: a loop.
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

    // .NET only distinguishes files from folders, and opening a pipe already blocks. Outside Linux such files are unlikely in a model folder.
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

    // statx has the same layout on every processor; stat does not.
    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern unsafe int statx(int folder, byte[] path, int flags, uint mask, byte* status);
}
