using System.Globalization;

namespace NullTextResearch.Experiments;

/// <summary>This process's resident memory, where the system tells (Linux).</summary>
public static class ProcessMemory
{
    private const string Status = "/proc/self/status";
    private const string Reset = "/proc/self/clear_refs";

    /// <summary>Bytes resident now, or null where the system does not tell.</summary>
    public static long? Resident() => Read(Status, "VmRSS:");

    /// <summary>The most bytes resident since the start or the last <see cref="ResetPeak"/>, or null where the system does not tell.</summary>
    public static long? Peak() => Read(Status, "VmHWM:");

    /// <summary>
    /// As <see cref="Peak"/>, without pages of program files: the system shares them between processes and takes them back, and where its cache holds
    /// them in pieces of 2 MB (after a build, or on a busy machine) it counts twice as many of libtorch's.
    /// </summary>
    public static long? PeakOwn() => Peak() - Read(Status, "RssFile:");

    /// <summary>Lets the peak start anew; false where the system does not allow it.</summary>
    public static bool ResetPeak()
    {
        if (!File.Exists(Reset))
            return false;
        try
        {
            File.WriteAllText(Reset, "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Bytes that a line <c>field   123 kB</c> of the kernel's files names, or null if there is none.</summary>
    internal static long? Read(string file, string field)
    {
        if (!File.Exists(file))
            return null;
        string? number = File.ReadLines(file)
            .FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal))
            ?.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)
            .ElementAtOrDefault(1);
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes) ? kilobytes << 10 : null;
    }
}
