using SkiaSharp;

namespace NullTextResearch.Figures;

/// <summary>The embedded font at one size: measures, wraps and draws label text without the machine's fonts.</summary>
internal sealed class LabelFont : IDisposable
{
    private static readonly Lazy<SKTypeface> Inter = new(Load);
    private readonly SKFont _font;
    private readonly SKPaint _paint;

    /// <param name="size">Height of the em square in pixels.</param>
    /// <param name="color">Text colour.</param>
    /// <param name="bold">Thicken the strokes: only one weight of the font is embedded.</param>
    internal LabelFont(float size, SKColor color, bool bold = false)
    {
        _font = new SKFont(Inter.Value, size)
        {
            Edging = SKFontEdging.Antialias,
            Subpixel = true,
            Embolden = bold,
        };
        _paint = new SKPaint { Color = color, IsAntialias = true };
    }

    internal float LineHeight => MathF.Ceiling(_font.Size * 1.3f);

    internal float Width(string text) => _font.MeasureText(text);

    /// <summary>Breaks a text into lines no wider than given: at spaces where possible, else after a hyphen, else inside a word.</summary>
    internal IReadOnlyList<string> Wrap(string? text, float width)
    {
        List<string> lines = [];
        foreach (string paragraph in (text ?? "").ReplaceLineEndings("\n").Split('\n'))
        {
            string line = "";
            foreach (string word in paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                string joined = line.Length == 0 ? word : $"{line} {word}";
                if (Width(joined) <= width)
                {
                    line = joined;
                    continue;
                }

                if (line.Length > 0)
                {
                    lines.Add(line);
                }

                line = word;
                while (Width(line) > width && line.Length > 1)
                {
                    int fits = 1;
                    while (fits + 1 < line.Length && Width(line[..(fits + 1)]) <= width)
                    {
                        fits++;
                    }

                    int hyphen = line.LastIndexOf('-', fits - 1);
                    fits = hyphen > 0 ? hyphen + 1 : fits;
                    // Never between the halves of a surrogate pair.
                    fits += char.IsHighSurrogate(line[fits - 1]) ? 1 : 0;
                    if (fits >= line.Length)
                    {
                        break;
                    }

                    lines.Add(line[..fits]);
                    line = line[fits..];
                }
            }

            if (line.Length > 0)
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    /// <summary>Draws lines one below the other.</summary>
    /// <param name="canvas">Where to draw.</param>
    /// <param name="lines">The lines, already wrapped.</param>
    /// <param name="x">Anchor: the left end, the middle or the right end, by <paramref name="align"/>.</param>
    /// <param name="top">Top of the first line.</param>
    /// <param name="align">Side of the text that is at <paramref name="x"/>.</param>
    internal void Draw(SKCanvas canvas, IReadOnlyList<string> lines, float x, float top, SKTextAlign align)
    {
        for (int i = 0; i < lines.Count; i++)
        {
            // 1.02 em below the top of its line is where Inter's baseline sits optically centred.
            canvas.DrawText(lines[i], x, top + (i * LineHeight) + (_font.Size * 1.02f), align, _font, _paint);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _font.Dispose();
        _paint.Dispose();
    }

    private static SKTypeface Load()
    {
        using SKData data = SKData.CreateCopy(Assets.Font);
        return SKTypeface.FromData(data)
            ?? throw new InvalidOperationException("The embedded font could not be read; build NullTextResearch.Figures again from a complete checkout.");
    }
}
