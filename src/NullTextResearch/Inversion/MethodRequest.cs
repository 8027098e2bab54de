namespace NullTextResearch.Inversion;

/// <summary>Settings from which a method is created, for callers that only have numbers. A method ignores the values that it does not use.</summary>
public sealed record MethodRequest
{
    /// <summary>N: updates per step, or passes over all steps; 0 or more (default 10).</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Seed of methods that draw noise (default 0).</summary>
    public long Seed { get; init; }

    /// <summary>Options of pivotal methods; its number of inner steps is ignored (default: the released code's).</summary>
    public NullTextOptions NullText { get; init; } = NullTextOptions.Default;

    /// <summary>How images become noise; null (default) for DDIM inversion as released.</summary>
    public PathOptions? Path { get; init; }

    /// <summary>
    /// Options by name, applied last: those of the method as <see cref="NamedOptions"/> lists them, those of its path with the prefix <c>path.</c> (default
    /// none).
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options { get; init; } = [];

    internal PathOptions PathOrDefault => Path ?? new DdimInversionOptions();

    internal NullTextOptions Pivotal => NullText with { InnerSteps = InnerSteps, Inversion = Path ?? NullText.Inversion };

    /// <summary>Applies the options that were set by name.</summary>
    internal T Apply<T>(T options)
        where T : notnull => NamedOptions.With(options, Options);
}
