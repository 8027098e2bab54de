namespace NullTextResearch.Figures.Tests;

public sealed class ReportTests
{
    [Fact]
    public void ToHtml_EverySectionChartAndPicture_AppearsOnce()
    {
        Report report = SampleReport.Create();

        string html = report.ToHtml();

        foreach (FigureSection section in report.Sections)
        {
            Assert.Equal(1, Count(html, $"<section class=\"nt-section\" id=\"{section.Id}\">"));
            Assert.Equal(1, Count(html, $"<li><a href=\"#{section.Id}\">"));
        }

        Assert.Equal(report.Sections.Sum(section => section.Charts.Count), Count(html, "class=\"nt-plot\""));
        Assert.Equal(report.Sections.Sum(section => section.Images.Count), Count(html, "src=\"data:image/png;base64,"));
        Assert.Equal(report.Sections.Sum(section => section.Tables.Count), Count(html, "<table class=\"nt-table\">"));
    }

    [Fact]
    public void ToHtml_Plotly_IsInlinedExactlyOnceAndNothingIsFetched()
    {
        string html = SampleReport.Create().ToHtml();

        Assert.Equal(1, Count(html, "* plotly.js v2.28.0"));
        Assert.Equal(1, Count(html, PlotlyScript.Text));
        Assert.Equal(1, Count(html, "@font-face"));
        string own = html.Replace(PlotlyScript.Text, "").Replace(PlotlyScript.License, "");
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//", own);
        Assert.DoesNotContain("@import", own);
    }

    [Fact]
    public void ToHtml_NoCharts_LeavesPlotlyOut()
    {
        Report report = new() { Title = "t", Sections = [new FigureSection { Id = "a", Title = "A" }] };

        Assert.DoesNotContain("plotly", report.ToHtml(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void ToHtml_MarkupInAnyText_IsEscaped()
    {
        const string Evil = "<script>alert('x')</script> & \"q\"";
        Report report = new()
        {
            Title = Evil,
            Introduction = Evil,
            Facts = [new ReportFact(Evil, Evil)],
            Sections =
            [
                new FigureSection
                {
                    Id = "a",
                    Title = Evil,
                    Caption = Evil,
                    PaperFound = Evil,
                    ThisRunFound = Evil,
                    Command = Evil,
                    ManifestJson = Evil,
                    Images = [new ReportImage(SampleReport.Grid.ToPng(), Evil) { Caption = Evil }],
                    Tables =
                    [
                        new TableData(
                            Evil,
                            [Evil],
                            [
                                [Evil],
                            ]
                        ),
                    ],
                    Files = [new ReportFile(Evil, "a b/<x>.csv")],
                },
                new FigureSection { Id = "b", Title = "other" },
            ],
        };

        string html = report.ToHtml();

        Assert.DoesNotContain("<script>alert", html);
        Assert.DoesNotContain("& \"q\"", html);
        // Head, heading, introduction, fact (2), navigation, section heading, caption, findings (2), picture (2), table (3), command, file, manifest.
        Assert.Equal(18, Count(html, "&lt;script&gt;alert("));
        Assert.Contains("href=\"a%20b/%3Cx%3E.csv\"", html);
    }

    [Fact]
    public void ToHtml_Texts_KeepParagraphs()
    {
        Report report = new()
        {
            Title = "t",
            Introduction = "one\n\ntwo\nthree",
            Sections = [],
        };

        Assert.Contains("<p>one</p><p>two<br>three</p>", report.ToHtml());
    }

    [Fact]
    public void Of_OneSection_IsAPageWithoutNavigation()
    {
        string html = Report.Of(SampleReport.Create().Sections[0]).ToHtml();

        Assert.DoesNotContain("<nav", html);
        Assert.Equal(1, Count(html, "class=\"nt-plot\""));
        Assert.Equal(1, Count(html, PlotlyScript.Text));
    }

    [Theory]
    [InlineData("1a")]
    [InlineData("a b")]
    [InlineData("")]
    public void ToHtml_UnsafeId_IsRefused(string id)
    {
        Report report = new() { Title = "t", Sections = [new FigureSection { Id = id, Title = "A" }] };

        Assert.Contains($"has the id '{id}'", Assert.Throws<ArgumentException>(report.ToHtml).Message);
    }

    [Fact]
    public void ToHtml_SameIdTwice_IsRefused()
    {
        Report report = new() { Title = "t", Sections = [new FigureSection { Id = "a", Title = "A" }, new FigureSection { Id = "A", Title = "B" }] };

        Assert.Contains("Two sections have the id 'A'", Assert.Throws<ArgumentException>(report.ToHtml).Message);
    }

    [Fact]
    public void Write_BadSection_LeavesTheEarlierPageIntact()
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-report-").FullName;
        try
        {
            string path = Path.Combine(folder, "new", "index.html");
            Report good = new() { Title = "good", Sections = [] };
            good.Write(path);
            Report bad = new()
            {
                Title = "bad",
                Sections =
                [
                    new FigureSection
                    {
                        Id = "a",
                        Title = "A",
                        Images = [new ReportImage([1, 2, 3], "broken")],
                    },
                ],
            };

            string message = Assert.Throws<ArgumentException>(() => bad.Write(path)).Message;

            Assert.Contains("'broken' is not a PNG file", message);
            Assert.Equal(good.ToHtml(), File.ReadAllText(path));
            Assert.Equal(["index.html"], Directory.GetFiles(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Count(string text, string part)
    {
        int count = 0;
        for (int at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }
}
