using System.Globalization;

namespace NullTextResearch;

/// <summary>Numbers of bytes for display.</summary>
public static class ByteCount
{
    /// <summary>A number of bytes in decimal units, as download pages give it, such as <c>4.3 MB</c>.</summary>
    /// <param name="bytes">0 or more.</param>
    public static string InWords(long bytes) =>
        bytes switch
        {
            < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
            < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
        };
}
