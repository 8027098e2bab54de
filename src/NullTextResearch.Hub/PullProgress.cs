using System.Globalization;

namespace NullTextResearch.Hub;

/// <summary>Progress of a download.</summary>
/// <param name="File">The file that this report is about; null for a report about the whole download.</param>
/// <param name="FileBytes">Bytes of that file downloaded so far.</param>
/// <param name="Bytes">Bytes downloaded so far, of all files that were missing.</param>
/// <param name="Of">Total bytes of all files that were missing.</param>
/// <param name="Note">A message about an event; null for plain progress.</param>
public sealed record PullProgress(HubFile? File, long FileBytes, long Bytes, long Of, string? Note) : WorkProgress("downloading")
{
    /// <inheritdoc/>
    public override double Done => Bytes;

    /// <inheritdoc/>
    public override double Total => Of;

    /// <inheritdoc/>
    public override string Where =>
        Note
        ?? (Of == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{ByteCount.InWords(Bytes)} of {ByteCount.InWords(Of)} ({Bytes / (double)Of:0%})"));
}
