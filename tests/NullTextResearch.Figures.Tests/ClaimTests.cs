using NullTextResearch.Metrics;

namespace NullTextResearch.Figures.Tests;

public sealed class ClaimTests
{
    private static readonly PairedDifference Clear = PairedDifference.Of([1, 2, 1, 2, 1]),
        Unclear = PairedDifference.Of([5, -4, 1, 2, -3]),
        Against = PairedDifference.Of([-1, -2, -1, -2, -1]);

    [Fact]
    public void Of_AllOrdersClear_IsReproduced() => Assert.Equal("reproduced", Claim.Of("c", "p", "r", Clear, Clear).VerdictText);

    [Fact]
    public void Of_SomeOrderUnclearOrAgainst_IsPartly()
    {
        Assert.Equal("partly", Claim.Of("c", "p", "r", Unclear).VerdictText);
        Assert.Equal("partly", Claim.Of("c", "p", "r", Clear, Against).VerdictText);
    }

    [Fact]
    public void Of_NoneOnThePapersSide_IsNotReproduced() => Assert.Equal("not reproduced", Claim.Of("c", "p", "r", Against, Against).VerdictText);

    [Fact]
    public void Of_FewImages_AreNotJudgedHoweverClear()
    {
        Claim claim = Claim.Of("c", "p", "r", Clear, PairedDifference.Of([1, 1, 1, 1]));

        Assert.Equal((4, false, "not judged"), (claim.Images, claim.IsJudged, claim.VerdictText));
    }

    [Fact]
    public void Of_NoOrder_IsRefused() => Assert.Throws<ArgumentException>(() => Claim.Of("c", "p", "r"));

    [Fact]
    public void Say_HasAnIntervalOnlyWithEnoughImages()
    {
        Assert.Equal("1.4 dB (0.7 to 2.1)", Claim.Say(Clear));
        Assert.Equal("1.5 dB", Claim.Say(PairedDifference.Of([1, 2])));
        Assert.Equal("1.40 (0.72 to 2.08)", Claim.Say(Clear, "", "0.00"));
    }

    [Fact]
    public void Report_ClaimsStandFirstWithLinks_AndAgainInTheirFigure()
    {
        Claim judged = Claim.Of("Null-text <ends> near the bound.", "0.3 dB", "0.2 dB", Clear),
            few = Claim.Of("Random pivots stay behind.", "7.9 dB", "4 dB", PairedDifference.Of([4, 4]));
        Report report = new()
        {
            Title = "t",
            Sections =
            [
                new FigureSection
                {
                    Id = "fig04",
                    Title = "Figure 4: PSNR",
                    Claims = [judged, few],
                },
                new FigureSection { Id = "fig09", Title = "Figure 9: w" },
            ],
        };

        string html = report.ToHtml();

        int overview = html.IndexOf("id=\"claims\"", StringComparison.Ordinal),
            figure = html.IndexOf("id=\"fig04\"", StringComparison.Ordinal);
        Assert.InRange(overview, 1, figure - 1);
        Assert.Contains("Null-text &lt;ends&gt; near the bound. <a href=\"#fig04\">Figure 4</a>", html[overview..figure], StringComparison.Ordinal);
        Assert.Contains("nt-claim nt-yes", html[overview..figure], StringComparison.Ordinal);
        Assert.Contains("nt-claim nt-open", html[overview..figure], StringComparison.Ordinal);
        Assert.Contains("2 images are too few for a verdict: at least 5 are needed.", html[overview..figure], StringComparison.Ordinal);
        Assert.Contains("Random pivots stay behind.", html[figure..], StringComparison.Ordinal);
    }
}
