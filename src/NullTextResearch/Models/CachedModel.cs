namespace NullTextResearch.Models;

/// <summary>A model in the cache.</summary>
public sealed record CachedModel
{
    /// <summary>Its name, without a revision.</summary>
    public required ModelName Name { get; init; }

    /// <summary>Its folder in the cache.</summary>
    public required string Folder { get; init; }

    /// <summary>The cached revisions, sorted by commit.</summary>
    public required IReadOnlyList<CachedRevision> Revisions { get; init; }

    /// <summary>Disk space of its finished files, in bytes; files shared by several revisions count once.</summary>
    public required long Bytes { get; init; }

    /// <summary>Disk space of unfinished downloads, in bytes.</summary>
    public required long UnfinishedBytes { get; init; }

    /// <summary>
    /// Whether it is a pipeline in diffusers format, possibly not yet complete. The cache is shared with Python, which also keeps other kinds of repository in
    /// it.
    /// </summary>
    public bool IsPipeline => Revisions.Any(r => r.HasIndex);
}
