namespace NullTextResearch.Benchmarks;

/// <summary>What the autoencoder of a model leaves possible for one task, and what doing nothing gives.</summary>
/// <param name="Success">Whether the judge accepts the true result after the autoencoder's round trip; null if nobody judges it.</param>
/// <param name="TruthDistance">The round trip's <see cref="BenchmarkScore.TruthDistance"/>.</param>
/// <param name="NoEditDistance">That of the picture before the edit.</param>
public sealed record BenchmarkBound(bool? Success, double TruthDistance, double NoEditDistance);
