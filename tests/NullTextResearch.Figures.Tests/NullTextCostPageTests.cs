using NullTextResearch.Benchmarks;
using Xunit;

namespace NullTextResearch.Figures.Tests;

/// <summary>The page that shows null-text optimisers by quality and cost.</summary>
public sealed class NullTextCostPageTests
{
    private static NullTextCostRow Row(NullTextVariant variant, double cost, double psnr, double edit) =>
        new(
            variant,
            [
                .. Enumerable
                    .Range(0, 6)
                    .Select(i => new NullTextCostRecord(cost, 0, 1, 31, psnr + (0.1 * i), edit + (0.1 * i), i % 2 == 0, [0.3, 0.4], [0.2, 0.1])),
            ]
        );

    [Theory]
    [InlineData(20, 40, 20, "No clear loss at a quarter of the cost or less.")]
    [InlineData(30, 40, 20, "The goal is missed: it costs more than a quarter.")]
    [InlineData(20, 39, 19, "The goal is missed: its reconstruction is clearly farther from the pivot, its edits are clearly worse.")]
    public void Of_SaysWhetherTheGoalIsReached(double cost, double psnr, double edit, string verdict)
    {
        Report page = NullTextCostPage.Of([Row(NullTextVariant.Released, 100, 40, 20), Row(NullTextVariant.Fast, cost, psnr, edit)], [new("Model", "a model")]);
        Assert.EndsWith(verdict, page.Sections[0].ThisRunFound, StringComparison.Ordinal);
        Assert.Equal(3, page.Sections[0].Charts.Count);
        Assert.Contains("Loss left at each timestep", page.ToHtml(), StringComparison.Ordinal);
        Assert.Equal(["Adam as released", "fast"], page.Sections[0].Tables[0].Rows.Select(r => r[0]));
    }

    [Fact]
    public void Of_WithWhatCanBeReached_ShowsAndSaysIt()
    {
        NullTextCostRow released = Row(NullTextVariant.Released, 100, 40, 20),
            furthest = Row(NullTextVariant.Furthest, 1000, 42, 20);
        using StableDiffusion model = StableDiffusion.LoadMini();
        Report page = NullTextCostPage.Of([released], [], null, new NullTextReach(furthest, released, model.Grid(2), 7.5));
        FigureSection section = page.Sections[^1];
        Assert.Equal("reach", section.Id);
        Assert.Contains("pivot differs from the released one's by +2.00 (+2.00 to +2.00) dB", section.ThisRunFound, StringComparison.Ordinal);
        Assert.Equal(["Adam as released", "Adam, always 40"], section.Tables[0].Rows.Select(r => r[0]));
        Assert.Contains("before the updates", section.Charts[0].ToCsv(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_NoVariant_IsRefused() =>
        Assert.Contains("at least one variant", Assert.Throws<ArgumentException>(() => NullTextCostPage.Of([], [])).Message);
}
