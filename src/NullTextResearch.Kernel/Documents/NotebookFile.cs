using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace NullTextResearch.Kernel.Documents;

/// <summary>The text of a notebook file.</summary>
internal static class NotebookFile
{
    // A notebook with all its pictures; what is larger is something else.
    private const long MostBytes = 256L << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file as UTF-8, or as what its byte-order mark says.</summary>
    /// <exception cref="NotebookFormatException">It is too large, or no text.</exception>
    /// <exception cref="IOException">It cannot be read, or is no file.</exception>
    public static string Read(string path)
    {
        if (Directory.Exists(path))
            throw new IOException($"{path} is a folder, where a notebook is needed.");
        if (KindOf(path) is { } kind)
            throw new IOException($"{path} is a {kind}, where a notebook is needed.");
        try
        {
            using FileStream file = File.OpenRead(path);
            if (file.Length > MostBytes)
                throw new NotebookFormatException(
                    string.Create(CultureInfo.InvariantCulture, $"{path} has {file.Length:#,0} bytes; a notebook has {MostBytes:#,0} at most.")
                );
            using StreamReader reader = new(file, Strict, detectEncodingFromByteOrderMarks: true);
            return reader.ReadToEnd();
        }
        catch (DecoderFallbackException e)
        {
            throw new NotebookFormatException($"{path} is not UTF-8 text ({Convert.ToHexString(e.BytesUnknown ?? [])} is no character); save it as UTF-8.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"{path} may not be read; change its permissions.", e);
        }
    }

    // Opening a pipe would wait for whoever writes to it; .NET tells files from folders only.
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
            // An old C library, or another one: the file is opened as it is.
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

    // statx is laid out alike on every processor; stat is not.
    [DllImport("libc.so.6", ExactSpelling = true)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] status);
}
