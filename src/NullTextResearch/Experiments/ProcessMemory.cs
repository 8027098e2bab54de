using System.Globalization;

namespace NullTextResearch.Experiments;

/// <summary>This process's resident memory, where the system reports it (Linux).</summary>
public static class ProcessMemory
{
    private const string Status = "/proc/self/status";
    private const string Reset = "/proc/self/clear_refs";

    /// <summary>Bytes resident now, or null if the system does not report it.</summary>
    public static long? Resident() => Read(Status, "VmRSS:");

    /// <summary>The most bytes resident since the start or the last <see cref="ResetPeak"/>, or null if the system does not report it.</summary>
    public static long? Peak() => Read(Status, "VmHWM:");

    /// <summary>
    /// Like <see cref="Peak"/>, but without pages of program files: the system shares these between processes and can reclaim them, and if its cache holds them
    /// as 2 MB pages (after a build, or on a busy machine) it counts twice as many of libtorch's.
    /// </summary>
    public static long? PeakOwn() => Peak() - Read(Status, "RssFile:");

    /// <summary>Resets the peak; false if the system does not allow it.</summary>
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

    /// <summary>Bytes that a line <c>field   123 kB</c> of a kernel file gives, or null if there is none.</summary>
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
