using NullTextResearch.Inversion;

namespace NullTextResearch.Editing;

/// <summary>An editor of inverted images, as listed in the catalogue.</summary>
public sealed record EditorMethod
{
    /// <summary>Short name used in options and file names: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in one line.</summary>
    public required string Summary { get; init; }

    /// <summary>The publication it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory in addition to sampling source and target, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>
    /// What an edit of one image to one target costs at T steps, with the default options and a guidance scale other than 1, on plain DDIM inversion; source
    /// and target together.
    /// </summary>
    public required Func<int, MethodCost> Cost { get; init; }

    /// <summary><see cref="Cost"/> as a formula in T.</summary>
    public required string CostFormula { get; init; }

    /// <summary>Revision of its numbers; 0 at first.</summary>
    public int Revision => Default.Revision;

    /// <summary>The code whose recorded tensors it reproduces, and the tolerance.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Its options, with default values.</summary>
    public required EditorOptions Default { get; init; }
}
