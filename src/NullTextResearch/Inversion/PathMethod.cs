using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>A way from image to noise, as the catalogue lists it.</summary>
public sealed record PathMethod
{
    /// <summary>Short name of options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>What it holds in memory beside plain DDIM inversion, in a few words or as a formula in T.</summary>
    public required string Memory { get; init; }

    /// <summary>Whose recorded tensors it equals, and within which limit.</summary>
    public required OriginalCode EqualTo { get; init; }

    /// <summary>Its options with default values.</summary>
    public required PathOptions Default { get; init; }

    /// <summary>What it costs an image at most with its default options, from T.</summary>
    public required Func<int, MethodCost> Cost { get; init; }

    /// <summary><see cref="Cost"/> as a formula in T.</summary>
    public required string CostFormula { get; init; }

    /// <summary>
    /// Makes its way back from what was kept of it; null where plain DDIM sampling is the way back, and methods that follow a pivot fit it.
    /// </summary>
    public Func<ReplayData, IReplay>? Restore { get; init; }

    /// <summary>Whether it is a way to invert images by itself (default), or makes sense only with a method on top of it.</summary>
    public bool StandsAlone { get; init; } = true;

    /// <summary>Its options with a seed; null where it draws no noise.</summary>
    public Func<PathOptions, long, PathOptions>? Seeded { get; init; }

    /// <summary>The options with the seed of a request.</summary>
    internal PathOptions With(long seed) => Seeded is null ? Default : Seeded(Default, seed);

    /// <summary>The record of its options.</summary>
    public Type OptionsType => Default.GetType();
}
