using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>A path from image to noise, as listed in the catalogue.</summary>
public sealed record PathMethod
{
    /// <summary>Short name for options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in one line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory in addition to plain DDIM inversion, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>Revision of its numbers; 0 at first.</summary>
    public int Revision => Default.Revision;

    /// <summary>The original code whose recorded tensors it reproduces, and the tolerance.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Its options with default values.</summary>
    public required PathOptions Default { get; init; }

    /// <summary>Its maximum cost per image with default options, from T.</summary>
    public required Func<int, MethodCost> Cost { get; init; }

    /// <summary><see cref="Cost"/> as a formula in T.</summary>
    public required string CostFormula { get; init; }

    /// <summary>Rebuilds its sampling rule from stored data; null if it samples by plain DDIM, so that methods that follow a pivot can use it.</summary>
    public Func<ReplayData, IReplay>? Restore { get; init; }

    /// <summary>Whether it inverts images by itself (default), or makes sense only with a method on top.</summary>
    public bool StandsAlone { get; init; } = true;

    /// <summary>Its options with a seed; null if it draws no noise.</summary>
    public Func<PathOptions, long, PathOptions>? Seeded { get; init; }

    /// <summary>The options with the seed of a request.</summary>
    internal PathOptions With(long seed) => Seeded is null ? Default : Seeded(Default, seed);

    /// <summary>The type of its options.</summary>
    public Type OptionsType => Default.GetType();
}
