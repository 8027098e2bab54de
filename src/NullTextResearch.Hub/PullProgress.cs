namespace NullTextResearch.Hub;

/// <summary>How far a download is.</summary>
/// <param name="File">The file that this report is about; null for a report about all.</param>
/// <param name="FileBytes">Bytes of that file that are here.</param>
/// <param name="Bytes">Bytes that are here, of all files that were missing.</param>
/// <param name="Of">Bytes of all files that were missing.</param>
/// <param name="Note">Something that happened, in words; null for mere progress.</param>
public sealed record PullProgress(HubFile? File, long FileBytes, long Bytes, long Of, string? Note);
