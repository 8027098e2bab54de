using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace NullTextResearch.Kernel.Documents;

/// <summary>Reads the text of a notebook file.</summary>
internal static class NotebookFile
{
    // Enough for a notebook with all its pictures; a larger file is something else.
    private const long MostBytes = 256L << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file as UTF-8, or in the encoding of its byte-order mark.</summary>
    /// <exception cref="NotebookFormatException">The file is too large or is not text.</exception>
    /// <exception cref="IOException">The file cannot be read or is not a regular file.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a folder; expected a notebook file.");
        if (KindOf(path) is { } kind)
            throw new IOException($"{path} is a {kind}; expected a notebook file.");
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MostBytes)
                throw new NotebookFormatException(
                    string.Create(CultureInfo.InvariantCulture, $"{path} has {file.Length:#,0} bytes; a notebook may have at most {MostBytes:#,0}.")
                );
            using StreamReader reader = new(file, Strict, detectEncodingFromByteOrderMarks: true);
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException e)
        {
            throw new NotebookFormatException($"{path} is not UTF-8 text (invalid bytes {Convert.ToHexString(e.BytesUnknown ?? [])}); save it as UTF-8.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{path} is not readable; change its permissions.", e);
        }
    }

    // Opening a pipe would block until another process writes to it. .NET distinguishes only files and folders.
    private static string? KindOf(string path)
    {
        const int CurrentFolder = -100,
            TypeOnly = 1,
            OffsetOfMode = 28;
        byte[] status = new byte[256];
        try
        {
            if (!OperatingSystem.IsLinux() || statx(CurrentFolder, Encoding.UTF8.GetBytes(path + '\0'), 0, TypeOnly, status) != 0)
                return null;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // The C library is too old, or is not glibc: the file is opened without this check.
            return null;
        }

        return (BitConverter.ToUInt16(status, OffsetOfMode) & 0xF000) switch
        {
            0x1000 => "named pipe",
            0x2000 or 0x6000 => "device",
            0xC000 => "socket",
            _ => null,
        };
    }

    // The layout of statx is the same on every processor; that of stat is not.
    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] status);
}
