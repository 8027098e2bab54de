namespace NullTextResearch.Models;

/// <summary>A model in the cache.</summary>
public sealed record CachedModel
{
    /// <summary>Its name, without a revision.</summary>
    public required ModelName Name { get; init; }

    /// <summary>Its folder in the cache.</summary>
    public required string Folder { get; init; }

    /// <summary>The revisions that are here, in the order of their commits.</summary>
    public required IReadOnlyList<CachedRevision> Revisions { get; init; }

    /// <summary>What its finished files take on the disk, in bytes; files that revisions share count once.</summary>
    public required long Bytes { get; init; }

    /// <summary>What downloads that were not finished take on the disk, in bytes.</summary>
    public required long UnfinishedBytes { get; init; }

    /// <summary>
    /// Whether it is, or is becoming, a model of several networks in diffusers format; the cache is shared with Python, which keeps other things
    /// there too.
    /// </summary>
    public bool IsPipeline => Revisions.Any(r => r.HasIndex);
}
