namespace NullTextResearch.Benchmarks;

/// <summary>A statistic with its bootstrap interval (percentiles of the resamples).</summary>
/// <param name="Value">The statistic of all tasks; NaN if it is not defined.</param>
/// <param name="Low">Lower end of the interval; NaN if the statistic is defined in no resample.</param>
/// <param name="High">Upper end of the interval.</param>
public readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>Whether the interval excludes a value.</summary>
    /// <param name="value">For instance 0, for a difference.</param>
    public bool Excludes(double value) => Low > value || High < value;
}
