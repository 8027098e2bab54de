namespace NullTextResearch.Models;

/// <summary>One revision of a model in the cache.</summary>
public sealed record CachedRevision
{
    /// <summary>The commit: 40 hexadecimal digits.</summary>
    public required string Commit { get; init; }

    /// <summary>Branches and tags known to point to it.</summary>
    public required IReadOnlyList<string> References { get; init; }

    /// <summary>The folder to load the model from.</summary>
    public required string Folder { get; init; }

    /// <summary>Size of its files, in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether there is a model_index.json.</summary>
    public required bool HasIndex { get; init; }

    /// <summary>The parts of a Stable Diffusion model that this folder lacks; empty if it is complete.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
}
