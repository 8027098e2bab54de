using NullTextResearch.Benchmarks;
using NullTextResearch.Perception;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public class PublishedResultsTests
{
    [Fact]
    public void Columns_All_NameMetricsOfTheCatalogueInItsDirection() =>
        Assert.All(PublishedResults.Columns, c => Assert.Equal(MetricCatalogue.Find(c.MetricId).Direction, c.Direction));

    [Fact]
    public void Pie_All_AreDistinctWithinRangeAndHaveASource()
    {
        Assert.Equal(26, PublishedResults.Pie.Count);
        Assert.Equal(26, PublishedResults.Pie.Select(r => r.Name).Distinct().Count());
        foreach (PublishedResult row in PublishedResults.Pie)
        {
            Assert.NotEmpty(row.Source);
            Assert.Contains(PublishedResults.Columns, c => c.Value(row) is not null);
            foreach (PublishedColumn column in PublishedResults.Columns)
            {
                Metric metric = MetricCatalogue.Find(column.MetricId);
                if (column.Value(row) is { } value)
                    Assert.InRange(value / column.Factor, metric.Least, metric.Most);
            }
        }
    }

    [Fact]
    public void ToMarkdown_HasOneLinePerRow_AndTheNumbersAsPublished()
    {
        string[] lines = PublishedResults.ToMarkdown().TrimEnd('\n').Split('\n');
        Assert.Equal(28, lines.Length);
        Assert.All(lines, l => Assert.Equal(10, l.Count(c => c == '|')));
        Assert.Contains(
            lines,
            l =>
                l.StartsWith(
                    "| null-text inversion + prompt-to-prompt | 13.44 | 27.03 | 60.67 | 35.86 | 84.11 | 24.75 | 21.86 | Ju et al. 2024",
                    StringComparison.Ordinal
                )
        );
    }
}
