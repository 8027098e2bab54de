using NullTextResearch.Inversion;

namespace NullTextResearch.Editing;

/// <summary>A way to edit inverted images, as the catalogue lists it.</summary>
public sealed record EditorMethod
{
    /// <summary>Short name of options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory beside sampling of source and target, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>Whose recorded tensors it equals, and within which limit.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Its options with default values.</summary>
    public required EditorOptions Default { get; init; }
}
