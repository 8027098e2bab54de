using System.Globalization;

namespace NullTextResearch.Hub;

/// <summary>Progress of a download.</summary>
/// <param name="File">The file that this report is about; null for a report about the whole download.</param>
/// <param name="FileBytes">Bytes of that file downloaded so far.</param>
/// <param name="Bytes">Bytes downloaded so far, of all files that were missing.</param>
/// <param name="Of">Total bytes of all files that were missing.</param>
/// <param name="Note">A message about an event; null for plain progress.</param>
public sealed record PullProgress(HubFile? File, long FileBytes, long Bytes, long Of, string? Note) : WorkProgress("download")
{
    /// <inheritdoc/>
    public override double Done => Bytes;

    /// <inheritdoc/>
    public override double Total => Of;

    /// <inheritdoc/>
    public override string Where => string.Create(CultureInfo.InvariantCulture, $"{Size(Bytes)} of {Size(Of)} ({Bytes / (double)Of:0%})");

    /// <summary>A size in decimal units, as download pages give it.</summary>
    /// <param name="bytes">Number of bytes.</param>
    internal static string Size(long bytes) =>
        bytes switch
        {
            < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
            < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB"),
        };
}
