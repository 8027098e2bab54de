using System.Collections.Concurrent;
using System.Reflection;
using SkiaSharp;

namespace NullTextResearch.Scenes;

/// <summary>
/// The sprites, recoloured and resized as needed, decoded once per process. Images are immutable, so all renderers share them. They live as long as the process
/// (about 2 MB once everything has been drawn).
/// </summary>
internal static class SpriteAtlas
{
    /// <summary>Side of the stored sprites in pixels.</summary>
    public const int FullSide = 128;

    // Consecutive sizes differ by at most a quarter, so bilinear reduction from the next larger one does not alias.
    private static readonly int[] Sides = [16, 20, 25, 31, 38, 46, 56, 68, 82, 100, FullSide];

    private static readonly ConcurrentDictionary<(SceneObjectKind Kind, SceneColour? Colour, int Side), SKImage> Cached = new();
    private static readonly ConcurrentDictionary<SceneObjectKind, byte[]> Decoded = new();

    /// <summary>The smallest cached version of a sprite that is at least as large as needed.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="colour">The colour of a colourable kind; otherwise null.</param>
    /// <param name="side">The side at which it will be drawn, in pixels.</param>
    /// <returns>A square image owned by the atlas: do not dispose it.</returns>
    public static SKImage Get(SceneObjectKind kind, SceneColour? colour, double side)
    {
        int best = FullSide;
        foreach (int candidate in Sides)
        {
            if (candidate >= side)
            {
                best = candidate;
                break;
            }
        }
        return Cached.GetOrAdd((kind, colour, best), static key => Make(key.Kind, key.Colour, key.Side));
    }

    private static SKImage Make(SceneObjectKind kind, SceneColour? colour, int side)
    {
        byte[] rgba = Decoded.GetOrAdd(kind, Decode);
        if (colour is { } c)
            rgba = Recolour(rgba, c);
        if (side != FullSide)
            rgba = Shrink(rgba, FullSide, side);
        SKImageInfo info = new SKImageInfo(side, side, SKColorType.Rgba8888, SKAlphaType.Premul);
        return SKImage.FromPixelCopy(info, rgba) ?? throw new InvalidOperationException($"SkiaSharp could not make the {side}-pixel sprite of '{kind}'.");
    }

    private static byte[] Decode(SceneObjectKind kind)
    {
        string name = $"NullTextResearch.Sprites.{CaptionGrammar.Noun(kind)}.png";
        using Stream stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The sprite '{name}' is not embedded in the library: data/sprites was missing when it was built.");
        using SKBitmap bitmap =
            SKBitmap.Decode(stream, new SKImageInfo(FullSide, FullSide, SKColorType.Rgba8888, SKAlphaType.Premul))
            ?? throw new InvalidOperationException($"The embedded sprite '{name}' is not a {FullSide}x{FullSide} image.");
        return bitmap.GetPixelSpan().ToArray();
    }

    /// <summary>Recolours the red parts of a sprite; other parts, highlights and shading stay the same.</summary>
    private static byte[] Recolour(byte[] rgba, SceneColour colour)
    {
        if (colour == SceneColour.Red)
            return rgba;
        // Hue in degrees, then factors for saturation and value, chosen by eye so that the five colours look equally saturated.
        (double hue, double saturationFactor, double valueFactor) = colour switch
        {
            SceneColour.Blue => (214.0, 1.08, 1.00),
            SceneColour.Green => (128.0, 0.98, 0.82),
            SceneColour.Yellow => (49.0, 1.06, 1.12),
            SceneColour.Purple => (274.0, 0.86, 0.90),
            _ => throw new ArgumentOutOfRangeException(nameof(colour), colour, "Expected red, blue, green, yellow or purple."),
        };
        byte[] result = new byte[rgba.Length];
        for (int i = 0; i < rgba.Length; i += 4)
        {
            double alpha = rgba[i + 3] / 255.0;
            if (alpha == 0)
                continue;
            double r = rgba[i] / 255.0 / alpha,
                g = rgba[i + 1] / 255.0 / alpha,
                b = rgba[i + 2] / 255.0 / alpha;
            (double h, double s, double v) = ToHsv(r, g, b);
            double away = h > 180 ? h - 360 + 8 : h + 8; // from 352 degrees, the sprites' red, in -180..180
            double weight = Ramp(Math.Abs(away), 48, 34) * Ramp(s, 0.12, 0.3);
            (double nr, double ng, double nb) = FromHsv(
                ((hue + (0.35 * away)) % 360 + 360) % 360,
                Math.Min(1, s * saturationFactor),
                Math.Min(1, v * valueFactor)
            );
            result[i] = Byte((r + (weight * (nr - r))) * alpha);
            result[i + 1] = Byte((g + (weight * (ng - g))) * alpha);
            result[i + 2] = Byte((b + (weight * (nb - b))) * alpha);
            result[i + 3] = rgba[i + 3];
        }
        return result;
    }

    /// <summary>0 at <paramref name="zero"/>, 1 at <paramref name="one"/>, linear between, constant beyond.</summary>
    private static double Ramp(double x, double zero, double one) => Math.Clamp((x - zero) / (one - zero), 0, 1);

    private static byte Byte(double x) => (byte)Math.Clamp((int)Math.Round(x * 255), 0, 255);

    private static (double H, double S, double V) ToHsv(double r, double g, double b)
    {
        double max = Math.Max(r, Math.Max(g, b)),
            min = Math.Min(r, Math.Min(g, b)),
            span = max - min;
        if (span <= 0)
            return (0, 0, max);
        double h =
            max == r ? (g - b) / span
            : max == g ? 2 + ((b - r) / span)
            : 4 + ((r - g) / span);
        return (h < 0 ? (h * 60) + 360 : h * 60, span / max, max);
    }

    private static (double R, double G, double B) FromHsv(double h, double s, double v)
    {
        double Channel(double n)
        {
            double k = (n + (h / 60)) % 6;
            return v - (v * s * Math.Clamp(Math.Min(k, 4 - k), 0, 1));
        }
        return (Channel(5), Channel(3), Channel(1));
    }

    /// <summary>Exact area average of premultiplied pixels, which keeps small sprites smooth.</summary>
    private static byte[] Shrink(byte[] source, int from, int to)
    {
        double scale = (double)from / to;
        double[] rows = new double[to * from * 4];
        for (int y = 0; y < from; y++)
        for (int x = 0; x < to; x++)
            Average(
                (x * scale),
                (x + 1) * scale,
                from,
                (p, w) =>
                {
                    for (int c = 0; c < 4; c++)
                        rows[(((y * to) + x) * 4) + c] += w * source[(((y * from) + p) * 4) + c];
                }
            );
        byte[] result = new byte[to * to * 4];
        for (int y = 0; y < to; y++)
        {
            for (int x = 0; x < to; x++)
            {
                double[] total = new double[4];
                Average(
                    y * scale,
                    (y + 1) * scale,
                    from,
                    (p, w) =>
                    {
                        for (int c = 0; c < 4; c++)
                            total[c] += w * rows[(((p * to) + x) * 4) + c];
                    }
                );
                for (int c = 0; c < 4; c++)
                    result[(((y * to) + x) * 4) + c] = (byte)Math.Clamp((int)Math.Round(total[c]), 0, 255);
            }
        }
        return result;
    }

    private static void Average(double low, double high, int limit, Action<int, double> add)
    {
        for (int p = (int)low; p < limit && p < high; p++)
        {
            double weight = (Math.Min(p + 1, high) - Math.Max(p, low)) / (high - low);
            if (weight > 0)
                add(p, weight);
        }
    }
}
