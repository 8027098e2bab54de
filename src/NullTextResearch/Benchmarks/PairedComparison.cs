namespace NullTextResearch.Benchmarks;

/// <summary>Two pairs of method and editor on the same tasks.</summary>
/// <param name="First">The first.</param>
/// <param name="Second">The second.</param>
/// <param name="Difference">Mean of first minus second, with its bootstrap interval over tasks.</param>
public sealed record PairedComparison(BenchmarkPair First, BenchmarkPair Second, Estimate Difference);
