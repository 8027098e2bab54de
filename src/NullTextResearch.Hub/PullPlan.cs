using NullTextResearch.Models;

namespace NullTextResearch.Hub;

/// <summary>What a download would bring.</summary>
public sealed record PullPlan
{
    /// <summary>The model, with the revision that was asked for.</summary>
    public required ModelName Model { get; init; }

    /// <summary>The commit that the revision stands for now.</summary>
    public required string Commit { get; init; }

    /// <summary>What the model card says about the licence, or null.</summary>
    public required string? Licence { get; init; }

    /// <summary>All files that the model needs.</summary>
    public required IReadOnlyList<HubFile> Files { get; init; }

    /// <summary>Those that are not in the cache yet.</summary>
    public required IReadOnlyList<HubFile> Missing { get; init; }

    /// <summary>Size of all files, in bytes.</summary>
    public long Bytes => Files.Sum(f => f.Size);

    /// <summary>What is still to be fetched, in bytes; parts of files that an earlier run fetched are not.</summary>
    public required long BytesToFetch { get; init; }

    /// <summary>What the person should know about the choice of files.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>
    /// Files that were in the cache and whose checksums were computed and are right (<see cref="ModelPuller.VerifyAsync"/>). Of the other ones that
    /// are here only the size was compared.
    /// </summary>
    public IReadOnlyList<HubFile> Verified { get; init; } = [];
}
