using NullTextResearch.Experiments;
using NullTextResearch.Figures.Paper;
using Xunit;

namespace NullTextResearch.Figures.Tests;

public sealed class PaperFigureTests
{
    [Theory]
    [InlineData("fig04", "fig04")]
    [InlineData("4", "fig04")]
    [InlineData(" Fig4 ", "fig04")]
    [InlineData("14", "fig13")]
    [InlineData("ablations", "ablations")]
    [InlineData("global", "global")]
    public void Find_IdOrNumber_IsTheFigure(string name, string id) => Assert.Equal(id, PaperFigure.Find(name).Id);

    [Fact]
    public void Parse_Several_AreInTheOrderOfTheReport()
    {
        Assert.Equal(["fig04", "fig09"], PaperFigure.Parse("9; fig04").Select(f => f.Id));
        Assert.Equal(PaperFigure.All, PaperFigure.Parse("all"));
        Assert.Equal(PaperFigure.All, PaperFigure.Parse(null));
        Assert.Contains("did you mean", Assert.Throws<ArgumentException>(() => PaperFigure.Parse("4, globl")).Message, StringComparison.Ordinal);
        Assert.Contains("ablations", Assert.Throws<ArgumentException>(() => PaperFigure.Find("3")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_HaveNamesOfTheirOwn_AndSayWhatTheyCost()
    {
        string[] names = [.. PaperFigure.All.SelectMany(f => f.Aliases.Append(f.Id))];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(
            PaperFigure.All,
            f =>
            {
                Assert.NotEmpty(f.Title);
                Assert.True(f.Work(ExperimentSettings.Quick).Sum(w => w.Cost) > 0, f.Id);
            }
        );
    }
}
