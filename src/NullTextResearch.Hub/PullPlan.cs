using NullTextResearch.Models;

namespace NullTextResearch.Hub;

/// <summary>What a download would fetch.</summary>
public sealed record PullPlan
{
    /// <summary>The model, with the requested revision.</summary>
    public required ModelName Model { get; init; }

    /// <summary>The commit that the revision currently points to.</summary>
    public required string Commit { get; init; }

    /// <summary>Licence as stated in the model card, or null.</summary>
    public required string? Licence { get; init; }

    /// <summary>All files that the model needs.</summary>
    public required IReadOnlyList<HubFile> Files { get; init; }

    /// <summary>The files that are not in the cache yet.</summary>
    public required IReadOnlyList<HubFile> Missing { get; init; }

    /// <summary>Size of all files, in bytes.</summary>
    public long Bytes => Files.Sum(f => f.Size);

    /// <summary>Bytes still to be fetched, without the parts that an earlier run fetched.</summary>
    public required long BytesToFetch { get; init; }

    /// <summary>Notes for the user about the choice of files.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>
    /// Files in the cache whose checksums were computed and are correct (<see cref="ModelPuller.VerifyAsync"/>). For the other files in the cache
    /// only the size was compared.
    /// </summary>
    public IReadOnlyList<HubFile> Verified { get; init; } = [];
}
