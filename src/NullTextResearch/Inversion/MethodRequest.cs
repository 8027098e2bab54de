namespace NullTextResearch.Inversion;

/// <summary>What a caller that has only numbers says to make a method. Values that a method has no use for are ignored.</summary>
public sealed record MethodRequest
{
    /// <summary>N: updates per step, or passes over all steps; 0 or more (default 10).</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Seed of methods that draw noise (default 0).</summary>
    public long Seed { get; init; }

    /// <summary>What pivotal methods start from; its number of inner steps is not used (default: the released code's).</summary>
    public NullTextOptions NullText { get; init; } = NullTextOptions.Default;

    /// <summary>How images become noise; null (default) for DDIM inversion as released.</summary>
    public PathOptions? Path { get; init; }

    /// <summary>
    /// Options by name, set last: those of the method as <see cref="NamedOptions"/> lists them, those of its path behind <c>path.</c> (default none).
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; init; } = [];

    internal PathOptions PathOrDefault => Path ?? new DdimInversionOptions();

    internal NullTextOptions Pivotal => NullText with { InnerSteps = InnerSteps, Inversion = Path ?? NullText.Inversion };

    /// <summary>Options of a method with what was set by name.</summary>
    internal T Apply<T>(T options)
        where T : notnull => NamedOptions.With(options, Options);
}
