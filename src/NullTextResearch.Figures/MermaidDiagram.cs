using System.IO.Compression;
using System.Text;
using System.Text.Json;
using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>Mermaid diagrams as PNG, drawn by a local browser with the mermaid.js that comes with the library: nothing is downloaded.</summary>
public static class MermaidDiagram
{
    private const int Width = 760,
        Height = 3000,
        Padding = 12;

    private static readonly Lazy<string> Script = new(() =>
    {
        using Stream stream = typeof(MermaidDiagram).Assembly.GetManifestResourceStream("mermaid.min.js.br")!;
        using BrotliStream plain = new(stream, CompressionMode.Decompress);
        using StreamReader reader = new(plain, Encoding.UTF8);
        return reader.ReadToEnd().Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase);
    });

    /// <summary>Draws a diagram. Text that is not a diagram gives a picture of Mermaid's error message.</summary>
    /// <param name="browser">The browser that draws.</param>
    /// <param name="text">The diagram in Mermaid's language.</param>
    /// <param name="cancellationToken">Stops the browser.</param>
    /// <returns>A PNG with two pixels per CSS pixel, at most 760 CSS pixels wide, cropped to the drawing; null if the browser fails.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static byte[]? Draw(ChromiumRenderer browser, string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(browser);
        ArgumentNullException.ThrowIfNull(text);
        string path = Path.Combine(Path.GetTempPath(), $"nulltext-diagram-{Guid.NewGuid():N}.png");
        try
        {
            if (!browser.RenderPng(Page(text), Width, Height, path, cancellationToken).Rendered)
                return null;
            using SKBitmap? page = SKBitmap.Decode(path);
            return page is null ? null : Cut(page);
        }
        finally
        {
            File.Delete(path);
        }
    }

    // The serializer writes '<' as an escape: no text can end the script.
    private static string Page(string text) =>
        $$"""
            <!doctype html><meta charset="utf-8"><style>body { margin: {{Padding}}px; background: #fff; font: 14px sans-serif } pre { color: #b00020; white-space: pre-wrap }</style>
            <div id="drawn"></div>
            <script>{{Script.Value}}</script>
            <script>
            mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', theme: 'neutral' });
            mermaid.parse({{JsonSerializer.Serialize(text)}})
              .then(() => mermaid.render('diagram', {{JsonSerializer.Serialize(text)}}))
              .then(drawn => { document.getElementById('drawn').innerHTML = drawn.svg; })
              .catch(error => { const said = document.createElement('pre'); said.textContent = error.message || error; document.body.append(said); });
            </script>
            """;

    private static byte[]? Cut(SKBitmap page)
    {
        int right = -1,
            bottom = -1;
        ReadOnlySpan<byte> pixels = page.GetPixelSpan();
        int bytes = page.BytesPerPixel;
        for (int y = 0; y < page.Height; y++)
        {
            ReadOnlySpan<byte> row = pixels.Slice(y * page.RowBytes, page.Width * bytes);
            // White is 255 in every byte, opacity too.
            int last = row.LastIndexOfAnyExcept((byte)255);
            if (last < 0)
                continue;
            right = Math.Max(right, last / bytes);
            bottom = y;
        }

        if (bottom < 0)
            return null;
        using SKBitmap part = new();
        page.ExtractSubset(part, new SKRectI(0, 0, Math.Min(page.Width, right + 1 + (2 * Padding)), Math.Min(page.Height, bottom + 1 + (2 * Padding))));
        return Pixels.ToPng(part);
    }
}
