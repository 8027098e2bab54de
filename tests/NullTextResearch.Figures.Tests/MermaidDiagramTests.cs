using SkiaSharp;

namespace NullTextResearch.Figures.Tests;

public sealed class MermaidDiagramTests
{
    [Theory]
    [InlineData("graph LR\n  A[invert] --> B{edit?}\n  B -->|yes| C[prompt-to-prompt]\n  B -->|no| D[reconstruction]", 400, 60)]
    [InlineData("sequenceDiagram\n  Notebook->>Kernel: execute_request\n  Kernel-->>Notebook: </script><b>reply</b>", 300, 200)]
    public void Draw_Diagram_IsCutToWhatIsDrawn(string text, int leastWidth, int leastHeight)
    {
        using SKBitmap drawn = Draw(text);
        // Two pixels to a CSS pixel, and a page of 760 by 3000.
        Assert.InRange(drawn.Width, 2 * leastWidth, 2 * 760);
        Assert.InRange(drawn.Height, 2 * leastHeight, 2 * 1000);
        Assert.InRange(Share(drawn, c => c.Red < 100 && c.Green < 100 && c.Blue < 100), 0.002, 0.5);
        Assert.Equal(0, Share(drawn, Complaint));
    }

    [Fact]
    public void Draw_NoDiagram_ShowsWhatMermaidSays()
    {
        using SKBitmap drawn = Draw("no such diagram\n  A --> B");
        Assert.InRange(Share(drawn, Complaint), 0.002, 0.5);
    }

    private static bool Complaint(SKColor c) => c.Red > 150 && c.Green < 40 && c.Blue < 80;

    private static double Share(SKBitmap picture, Func<SKColor, bool> which) => picture.Pixels.Count(which) / (double)(picture.Width * picture.Height);

    private static SKBitmap Draw(string text)
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        Assert.SkipWhen(search.Renderer is null, search.Message);
        byte[]? png = MermaidDiagram.Draw(search.Renderer, text, TestContext.Current.CancellationToken);
        Assert.NotNull(png);
        return SKBitmap.Decode(png);
    }
}
