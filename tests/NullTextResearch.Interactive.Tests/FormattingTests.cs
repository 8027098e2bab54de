using System.Reflection;
using System.Text.Json;
using Microsoft.DotNet.Interactive.Formatting;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using TypeFormatterSourceAttribute = NullTextResearch.Interactive.Rendering.TypeFormatterSourceAttribute;

namespace NullTextResearch.Interactive.Tests;

/// <summary>How results come out of kernels: ours, and .NET Interactive by its own published formatter.</summary>
[Collection(nameof(BenchCollection))]
public sealed class FormattingTests(Bench bench)
{
    [Fact]
    public void ToDisplayString_EveryResultInDotNetInteractive_HasHtmlAndText()
    {
        foreach (Visual visual in bench.Everything)
        {
            string name = visual.GetType().Name;
            string[] mimes = [.. Formatter.GetPreferredMimeTypesFor(visual.GetType())];

            Assert.Contains("text/html", mimes);
            Assert.Contains("text/plain", mimes);
            // As a string no front end draws it, so it is not offered there.
            Assert.DoesNotContain(Mime.Plotly, mimes);
            Assert.Equal(visual.ToString(), visual.ToDisplayString("text/plain"));
            string html = visual.ToDisplayString("text/html");
            Assert.True(
                html.Contains("class=\"nt-view", StringComparison.Ordinal) || html.Contains("nt-chart", StringComparison.Ordinal),
                $"{name}: {html[..Math.Min(200, html.Length)]}"
            );
            Assert.DoesNotContain("cannot be shown", html);
            Assert.True(html.Length < 400_000, $"{name} has {html.Length} characters of HTML");
        }
    }

    [Fact]
    public void ToDisplayString_PicturesInDotNetInteractive_AreBase64Png()
    {
        foreach (Visual visual in bench.Everything.Where(v => v is not ChartView and not TableView))
        {
            string png = visual.ToDisplayString("image/png");

            Assert.NotNull(ImageFile.Decode(Convert.FromBase64String(png)));
        }
    }

    [Fact]
    public void GetPreferredMimeTypesFor_ChartWithoutBrowser_OffersNoPicture()
    {
        Assert.Null(View.Chart(Bench.Lines).ToPng());

        // That kernel would send an empty one.
        Assert.Equal(["text/html", "text/plain"], Formatter.GetPreferredMimeTypesFor(typeof(ChartView)));
    }

    [Fact]
    public void Format_ChartInOurKernel_HasAllRepresentations()
    {
        using IDisposable attached = Notebook.Attach(new SilentHost());
        ChartView chart = View.Chart(Bench.Lines);

        Dictionary<string, string> bundle = Bundle(chart);

        Assert.Equal(["application/vnd.plotly.v1+json", "text/html", "text/plain"], bundle.Keys.Order(StringComparer.Ordinal));
        using JsonDocument figure = JsonDocument.Parse(bundle[Mime.Plotly]);
        Assert.Equal(2, figure.RootElement.GetProperty("data").GetArrayLength());
        Assert.Contains("PSNR [dB]", figure.RootElement.GetProperty("layout").GetRawText());
        Assert.Contains("null-text,3,27", bundle[Mime.Text]);
        // Titles are escaped, and what stands in until plotly.js comes is the numbers.
        Assert.Contains("PSNR &lt;over&gt; steps", bundle[Mime.Html]);
        Assert.Contains("null-text,3,27", bundle[Mime.Html]);
    }

    [Fact]
    public void Format_ChartWithBrowser_HasPngToo()
    {
        Assert.SkipWhen(Figures.ChromiumRenderer.TryFind() is null, "no browser");
        using IDisposable attached = Notebook.Attach(new SilentHost());
        StaticCharts.Wanted = true;
        try
        {
            Dictionary<string, string> bundle = Bundle(View.Chart(Bench.Lines));

            Assert.Equal(4, bundle.Count);
            RgbImage picture = ImageFile.Decode(Convert.FromBase64String(bundle[Mime.Png]));
            Assert.InRange(picture.Width, 1000, 2000);
            Assert.True(bundle[Mime.Png].Length < 70_000, $"{bundle[Mime.Png].Length}");
            Assert.Contains("<img alt=\"PSNR &lt;over&gt; steps\"", bundle[Mime.Html]);
            Assert.True(bundle[Mime.Html].Length < 80_000, $"{bundle[Mime.Html].Length}");
        }
        finally
        {
            StaticCharts.Wanted = false;
        }
    }

    [Fact]
    public void Encode_FewColours_KeepsEveryPixel()
    {
        RgbImage image = new(70, 30, [.. Enumerable.Range(0, 70 * 30).SelectMany(i => (byte[])[(byte)(i % 16 * 16), (byte)(i % 7), (byte)(i % 2 * 255)])]);

        Assert.Equal(image, ImageFile.Decode(PalettePng.Encode(image)));
    }

    [Fact]
    public void Encode_ManyColours_StaysNear()
    {
        RgbImage image = bench.Toy.Image;

        RgbImage read = ImageFile.Decode(PalettePng.Encode(image));

        Assert.InRange(Metrics.Psnr.Of(read, image), 25, 60);
    }

    [Fact]
    public void ToHtml_ShownTwice_HasTwoIds()
    {
        string Id() => bench.Sweep.ToHtml().Split("data-nt=\"")[1].Split('"')[0];

        Assert.NotEqual(Id(), Id());
    }

    [Fact]
    public void Format_ResultThatCannotBeDrawn_SaysSoInsteadOfFailingTheCell()
    {
        ChartView broken = View.Chart(Bench.Lines with { Series = [] });

        Assert.Contains("cannot be shown", Bundle(broken)[Mime.Text]);
        Assert.Contains("it has no", Bundle(broken)[Mime.Html]);
    }

    [Fact]
    public void Types_ThatShowThemselves_AllNameTheirFormatter()
    {
        Type[] visuals = [.. typeof(Visual).Assembly.GetTypes().Where(t => !t.IsAbstract && typeof(IRendered).IsAssignableFrom(t))];

        Assert.True(visuals.Length >= 14, $"{visuals.Length}");
        Assert.All(visuals, t => Assert.NotNull(t.GetCustomAttribute<TypeFormatterSourceAttribute>()));
    }

    [Fact]
    public void Assembly_References_NothingOfDotNetInteractive() =>
        Assert.DoesNotContain(
            typeof(Visual).Assembly.GetReferencedAssemblies(),
            a => a.Name!.StartsWith("Microsoft.DotNet.Interactive", StringComparison.Ordinal)
        );

    /// <summary>What a kernel that follows the convention emits.</summary>
    private static Dictionary<string, string> Bundle(object value)
    {
        TypeFormatterSourceAttribute attribute = value.GetType().GetCustomAttribute<TypeFormatterSourceAttribute>()!;
        RenderingFormatters source = (RenderingFormatters)Activator.CreateInstance(attribute.FormatterSourceType)!;
        Dictionary<string, string> bundle = [];
        foreach (RenderingFormatter formatter in source.CreateTypeFormatters())
        {
            StringWriter writer = new();
            if (attribute.PreferredMimeTypes.Contains(formatter.MimeType) && formatter.Format(value, writer))
                bundle.Add(formatter.MimeType, writer.ToString());
        }

        return bundle;
    }

    private sealed class SilentHost : INotebookHost
    {
        public string Name => "test";

        public CancellationToken Cancellation => CancellationToken.None;

        public IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes) => throw new NotSupportedException();

        public void ClearOutput(bool wait = false) { }

        public string ReadLine(string prompt, bool hidden = false) => throw new InvalidOperationException();
    }
}
