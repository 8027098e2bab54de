using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>A column of published tables, and the metric of this library that belongs beside it.</summary>
/// <param name="Title">Title with the published factor, such as "LPIPS x 1000".</param>
/// <param name="MetricId">
/// The metric in <see cref="MetricCatalogue"/>; masked ones are taken where the edit must not change the picture, except the CLIP similarity of the edited
/// region.
/// </param>
/// <param name="Factor">The published number is the metric times this.</param>
/// <param name="Direction">Which values are better.</param>
/// <param name="Value">The published number of a row, null if its source does not give it.</param>
public sealed record PublishedColumn(string Title, string MetricId, double Factor, MetricDirection Direction, Func<PublishedResult, double?> Value);
