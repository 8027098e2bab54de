namespace NullTextResearch.Benchmarks;

/// <summary>How uncertainties are estimated: by drawing tasks with replacement, many times.</summary>
public sealed record BootstrapOptions
{
    /// <summary>Number of resamples, at least 1. Default 2000.</summary>
    public int Resamples { get; init; } = 2_000;

    /// <summary>Seed of the draws; the same seed gives the same intervals on every machine. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Share of resamples inside an interval, above 0 and below 1. Default 0.95.</summary>
    public double Level { get; init; } = 0.95;

    /// <summary>Checks all values.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range.</exception>
    public void Validate()
    {
        if (Resamples < 1)
            throw new ArgumentOutOfRangeException(nameof(Resamples), Resamples, "An interval needs at least one resample; some 2000 are usual.");
        if (Level is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(Level), Level, "The level of an interval lies between 0 and 1, such as 0.95.");
    }
}
