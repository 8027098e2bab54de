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

/// <summary>One revision of a model in the cache.</summary>
public sealed record CachedRevision
{
    /// <summary>The commit: 40 hexadecimal digits.</summary>
    public required string Commit { get; init; }

    /// <summary>Branches and tags known to stand for it.</summary>
    public required IReadOnlyList<string> References { get; init; }

    /// <summary>The folder that a model can be loaded from.</summary>
    public required string Folder { get; init; }

    /// <summary>Size of its files, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether there is a model_index.json.</summary>
    public required bool HasIndex { get; init; }

    /// <summary>What a Stable Diffusion model has and this folder lacks; empty if nothing.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
}
