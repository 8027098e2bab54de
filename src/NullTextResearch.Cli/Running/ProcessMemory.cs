using System.Globalization;

namespace NullTextResearch.Cli.Running;

/// <summary>This process's resident memory, where the system tells (Linux).</summary>
internal static class ProcessMemory
{
    private const string Status = "/proc/self/status";
    private const string Reset = "/proc/self/clear_refs";

    /// <summary>Bytes resident now, or null.</summary>
    public static long? Resident() => Read("VmRSS:");

    /// <summary>The most bytes resident since the start or the last <see cref="ResetPeak"/>, or null.</summary>
    public static long? Peak() => Read("VmHWM:");

    /// <summary>Lets the peak start anew; false where the system does not allow it.</summary>
    public static bool ResetPeak()
    {
        if (!File.Exists(Reset)) return false;
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

    private static long? Read(string field)
    {
        if (!File.Exists(Status)) return null;
        string? number = File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(field, StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
        return long.TryParse(number?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long kilobytes) ? kilobytes << 10 : null;
    }
}
