using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>A number of a unit that a benchmark compares.</summary>
/// <param name="Id">Name in files, such as <c>success</c> or the column of a metric.</param>
/// <param name="Title">Name for readers, with its unit.</param>
/// <param name="Direction">Which way is better.</param>
/// <param name="Of">Reads it from a unit that is done; NaN if it has none.</param>
public sealed record BenchmarkScore(string Id, string Title, MetricDirection Direction, Func<UnitRecord, double> Of)
{
    /// <summary>Whether the judge saw what was asked for: 1 or 0, so that the mean is a rate; NaN where nobody judged.</summary>
    public static BenchmarkScore Success { get; } =
        new(
            "success",
            "success",
            MetricDirection.Higher,
            r =>
                r.Success switch
                {
                    true => 1,
                    false => 0,
                    null => double.NaN,
                }
        );

    /// <summary>Mean squared error to the true result inside the mask, or over the whole picture if it may change everywhere; pixels 0 to 1.</summary>
    public static BenchmarkScore TruthDistance { get; } =
        new("truth-distance", "MSE to the truth in the region", MetricDirection.Lower, r => Column(r, "truth-inside-mse", "truth-mse"));

    /// <summary>PSNR to the picture before the edit, outside the mask, dB; NaN for edits that may change everything.</summary>
    public static BenchmarkScore Preservation { get; } =
        new("preservation", "PSNR outside the region [dB]", MetricDirection.Higher, r => Column(r, "source-outside-psnr"));

    /// <summary>PSNR of the reconstruction, dB.</summary>
    public static BenchmarkScore Reconstruction { get; } =
        new("reconstruction-psnr", "reconstruction [dB]", MetricDirection.Higher, r => r.ReconstructionPsnr ?? double.NaN);

    /// <summary>Seconds of inversion and edit.</summary>
    public static BenchmarkScore Seconds { get; } = new("seconds", "seconds", MetricDirection.Lower, r => r.Seconds + r.EditSeconds);

    /// <summary>Cost of inversion and edit in network evaluations: 1 for a forward pass, 2 more for a backward pass.</summary>
    public static BenchmarkScore Cost { get; } =
        new("cost", "network evaluations", MetricDirection.Lower, r => r.Evaluations + r.EditEvaluations + (2 * (r.Backwards + r.EditBackwards)));

    /// <summary>A column of a study's scores.</summary>
    /// <param name="column">Such as <c>source-outside-psnr</c>.</param>
    /// <param name="direction">Which way its metric is better.</param>
    public static BenchmarkScore OfColumn(string column, MetricDirection direction) => new(column, column, direction, r => Column(r, column));

    private static double Column(UnitRecord record, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (record.Scores.TryGetValue(name, out double value))
                return value;
        }
        return double.NaN;
    }
}
