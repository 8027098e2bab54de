using SkiaSharp;

namespace NullTextResearch.Scenes;

/// <summary>
/// Paints backgrounds on a canvas whose unit square is the picture. The first numbers drawn from the seed (horizon, sun, clouds) are the same for every
/// background, so changing only the background keeps the layout.
/// </summary>
internal sealed class BackgroundPainter : IDisposable
{
    private readonly SKPaint _paint = new() { IsAntialias = true };

    public void Dispose() => _paint.Dispose();

    /// <summary>Paints one background over the whole unit square.</summary>
    public void Paint(SKCanvas canvas, SceneBackground background, long seed, bool night)
    {
        SceneRandom random = new SceneRandom(seed);
        Layout layout = new Layout(
            Horizon: random.Range(0.40, 0.54),
            SunX: random.Range(0.12, 0.88),
            SunY: random.Range(0.10, 0.22),
            Tone: random.Range(0.95, 1.05),
            PhaseA: random.Range(0, Math.Tau),
            PhaseB: random.Range(0, Math.Tau),
            Detail: new SceneRandom(unchecked((long)random.NextBits()))
        );
        switch (background)
        {
            case SceneBackground.Meadow:
                Meadow(canvas, layout, night);
                break;
            case SceneBackground.Beach:
                Beach(canvas, layout, night);
                break;
            case SceneBackground.Desert:
                Desert(canvas, layout, night);
                break;
            case SceneBackground.Snow:
                Snow(canvas, layout, night);
                break;
            case SceneBackground.Forest:
                Forest(canvas, layout);
                break;
            case SceneBackground.Ocean:
                Ocean(canvas, layout, night);
                break;
            case SceneBackground.City:
                City(canvas, layout, night);
                break;
            case SceneBackground.Sunset:
                Sunset(canvas, layout);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(background), background, "Expected one of ToyScenes.Backgrounds.");
        }
        if (night && background != SceneBackground.City)
            Night(canvas, layout, background);
    }

    /// <summary>Paints the weather between background and objects, where fog is thickest.</summary>
    public void PaintWeatherBehind(SKCanvas canvas, SceneDescription scene)
    {
        if (scene.Weather == SceneWeather.Fog)
            Veil(canvas, 0.45 + (0.35 * scene.WeatherAmount));
    }

    /// <summary>Paints the weather in front of everything.</summary>
    public void PaintWeatherBefore(SKCanvas canvas, SceneDescription scene)
    {
        if (scene.Weather == SceneWeather.Fog)
            Veil(canvas, 0.08 + (0.24 * scene.WeatherAmount));
        if (scene.Weather != SceneWeather.Rain)
            return;
        Solid(new SKColor(104, 114, 132, (byte)(60 + (60 * scene.WeatherAmount))));
        canvas.DrawRect(0, 0, 1, 1, _paint);
        SceneRandom random = new SceneRandom(scene.BackgroundSeed ^ 0x5A17);
        int drops = 18 + (int)(22 * scene.WeatherAmount);
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeCap = SKStrokeCap.Round;
        _paint.StrokeWidth = 0.013f;
        _paint.Color = new SKColor(214, 226, 242, 190);
        for (int i = 0; i < drops; i++)
        {
            float x = (float)random.Range(-0.05, 1.05),
                y = (float)random.Range(-0.1, 1),
                length = (float)random.Range(0.09, 0.14);
            canvas.DrawLine(x, y, x - (0.3f * length), y + length, _paint);
        }
        _paint.Style = SKPaintStyle.Fill;
    }

    private void Veil(SKCanvas canvas, double alpha)
    {
        Solid(new SKColor(222, 226, 230, (byte)(255 * alpha)));
        canvas.DrawRect(0, 0, 1, 1, _paint);
    }

    private sealed record Layout(double Horizon, double SunX, double SunY, double Tone, double PhaseA, double PhaseB, SceneRandom Detail)
    {
        public float H => (float)Horizon;
    }

    private void Meadow(SKCanvas canvas, Layout l, bool night)
    {
        Sky(canvas, l.H + 0.1f, Rgb(92, 172, 240, l.Tone), Rgb(200, 232, 252), night);
        if (!night)
        {
            Sun(canvas, l, Rgb(255, 244, 190));
            Clouds(canvas, l, 2);
        }
        Hills(canvas, l.H - 0.05f, 0.035f, 1.3, l.PhaseA, Rgb(122, 196, 110, l.Tone), Rgb(108, 186, 96));
        Hills(canvas, l.H + 0.03f, 0.03f, 0.8, l.PhaseB, Rgb(112, 200, 74, l.Tone), Rgb(52, 146, 48));
        SKColor[] petals = [Rgb(255, 255, 255), Rgb(255, 224, 92), Rgb(255, 168, 196)];
        for (int i = 0; i < 7; i++)
        {
            double depth = l.Detail.Range(0.25, 1);
            Disc(canvas, l.Detail.NextDouble(), l.Horizon + 0.06 + (depth * (0.92 - l.Horizon)), 0.008 + (0.010 * depth), l.Detail.Pick(petals));
        }
    }

    private void Beach(SKCanvas canvas, Layout l, bool night)
    {
        Sky(canvas, l.H, Rgb(112, 196, 246, l.Tone), Rgb(214, 240, 252), night);
        if (!night)
        {
            Sun(canvas, l, Rgb(255, 248, 206));
            Clouds(canvas, l, 1);
        }
        float shore = l.H + 0.13f;
        GradientBand(canvas, l.H, shore + 0.06f, Rgb(28, 142, 204, l.Tone), Rgb(96, 214, 214));
        Hills(canvas, shore - 0.012f, 0.022f, 0.7, l.PhaseA, Rgb(250, 254, 250), Rgb(250, 254, 250));
        Hills(canvas, shore + 0.012f, 0.022f, 0.7, l.PhaseA, Rgb(250, 226, 166, l.Tone), Rgb(236, 198, 124));
    }

    private void Desert(SKCanvas canvas, Layout l, bool night)
    {
        Sky(canvas, l.H + 0.08f, Rgb(250, 196, 116, l.Tone), Rgb(254, 238, 196), night);
        if (!night)
            Sun(canvas, l, Rgb(255, 252, 226));
        Hills(canvas, l.H, 0.05f, 0.9, l.PhaseA, Rgb(236, 164, 88, l.Tone), Rgb(222, 146, 70));
        Hills(canvas, l.H + 0.09f, 0.05f, 0.6, l.PhaseB, Rgb(232, 148, 62, l.Tone), Rgb(206, 116, 42));
        Hills(canvas, l.H + 0.24f, 0.04f, 0.5, l.PhaseA + l.PhaseB, Rgb(224, 136, 54, l.Tone), Rgb(188, 98, 34));
    }

    private void Snow(SKCanvas canvas, Layout l, bool night)
    {
        Sky(canvas, l.H + 0.1f, Rgb(164, 190, 220, l.Tone), Rgb(226, 234, 244), night);
        Hills(canvas, l.H - 0.04f, 0.04f, 1.1, l.PhaseA, Rgb(206, 220, 236), Rgb(206, 220, 236));
        for (int i = 0; i < 5; i++)
        {
            double x = (i + l.Detail.Range(0.1, 0.9)) / 5,
                height = l.Detail.Range(0.12, 0.2);
            Fir(canvas, x, l.Horizon + 0.05, height, Rgb(96, 136, 146), Rgb(240, 246, 250));
        }
        Hills(canvas, l.H + 0.03f, 0.03f, 0.8, l.PhaseB, Rgb(250, 252, 255), Rgb(214, 226, 242));
        if (night)
            return;
        for (int i = 0; i < 10; i++)
            Disc(canvas, l.Detail.NextDouble(), l.Detail.Range(0, 0.8), 0.009, new SKColor(255, 255, 255, 220));
    }

    private void Forest(SKCanvas canvas, Layout l)
    {
        Gradient(canvas, 0, 1, Rgb(66, 116, 58, l.Tone), Rgb(28, 62, 36));
        GradientBand(canvas, 0.1f, l.H + 0.1f, new SKColor(190, 214, 120, 0), new SKColor(190, 214, 120, 130));
        for (int row = 0; row < 2; row++)
        {
            int count = row == 0 ? 6 : 4;
            for (int i = 0; i < count; i++)
            {
                double x = (i + l.Detail.Range(0.15, 0.85)) / count,
                    width = row == 0 ? l.Detail.Range(0.022, 0.034) : l.Detail.Range(0.045, 0.065);
                SKColor colour = row == 0 ? Rgb(84, 84, 52, l.Tone) : Rgb(88, 58, 38, l.Tone);
                Rect(canvas, x - (width / 2), 0, width, l.Horizon + (row == 0 ? 0.07 : 0.13), colour);
                if (row == 1)
                    Rect(canvas, x - (width / 2), 0, width * 0.35, l.Horizon + 0.13, Rgb(118, 80, 52, l.Tone));
            }
        }
        Hills(canvas, l.H + 0.07f, 0.02f, 1.2, l.PhaseA, Rgb(74, 112, 44, l.Tone), Rgb(40, 72, 32));
        Canopy(canvas, l, 0.10, Rgb(36, 84, 40, l.Tone));
        Canopy(canvas, l, 0.05, Rgb(52, 108, 46, l.Tone));
    }

    private void Ocean(SKCanvas canvas, Layout l, bool night)
    {
        float h = l.H - 0.06f;
        Sky(canvas, h, Rgb(86, 158, 226, l.Tone), Rgb(196, 226, 246), night);
        if (!night)
        {
            Sun(canvas, l, Rgb(255, 250, 220));
            Clouds(canvas, l, 2);
        }
        GradientBand(canvas, h, 1, Rgb(36, 116, 190, l.Tone), Rgb(10, 48, 122));
        for (int row = 0; row < 5; row++)
        {
            double depth = (row + 0.7) / 5,
                y = h + ((1 - h) * depth * depth) + 0.02;
            double length = 0.07 + (0.14 * depth);
            for (int i = 0; i < 3; i++)
                Wave(
                    canvas,
                    (i + l.Detail.NextDouble()) / 3,
                    y + l.Detail.Range(-0.012, 0.012),
                    length,
                    new SKColor(150, 206, 240, (byte)(80 + (60 * depth))),
                    0.011 + (0.010 * depth)
                );
        }
    }

    private void City(SKCanvas canvas, Layout l, bool night)
    {
        // Lit windows would not survive the night's multiplication, so the city has its own night palette.
        double dim = night ? 0.36 : 1;
        SKColor Tint(int r, int g, int b) => night ? Rgb(r, g, (b * 4) / 3, dim * l.Tone) : Rgb(r, g, b, l.Tone);
        if (night)
            Gradient(canvas, 0, l.H + 0.12f, Rgb(20, 26, 78, l.Tone), Rgb(92, 70, 130));
        else
            Gradient(canvas, 0, l.H + 0.12f, Rgb(168, 178, 214, l.Tone), Rgb(248, 222, 208));
        if (night)
            Stars(canvas, l, l.SunY * 0.6);
        SceneRandom random = l.Detail;
        float ground = l.H + 0.13f;
        Skyline(canvas, random, ground, 9, 0.22, 0.42, Tint(154, 158, 192), null);
        Skyline(canvas, random, ground, 6, 0.14, 0.36, Tint(92, 98, 140), night ? Rgb(255, 214, 110) : Rgb(214, 232, 246));
        GradientBand(canvas, ground, 1, Tint(150, 150, 160), Tint(104, 104, 116));
        Rect(canvas, 0, ground, 1, 0.025, Tint(196, 196, 202));
        for (int i = 0; i < 4; i++)
            Rect(canvas, (i + 0.25) / 4, ground + 0.19, 0.12, 0.022, Tint(238, 234, 214));
    }

    private void Sunset(SKCanvas canvas, Layout l)
    {
        Gradient(canvas, 0, l.H + 0.02f, Rgb(84, 44, 128, l.Tone), Rgb(255, 166, 78), Rgb(228, 84, 104));
        double y = l.Horizon - 0.05;
        Glow(canvas, l.SunX, y, 0.36, new SKColor(255, 214, 120, 150));
        Disc(canvas, l.SunX, y, 0.115, Rgb(255, 238, 168));
        Hills(canvas, l.H - 0.03f, 0.035f, 1.2, l.PhaseA, Rgb(140, 56, 104, l.Tone), Rgb(120, 46, 92));
        Hills(canvas, l.H + 0.05f, 0.03f, 0.8, l.PhaseB, Rgb(98, 40, 86, l.Tone), Rgb(44, 20, 56));
    }

    private void Night(SKCanvas canvas, Layout l, SceneBackground background)
    {
        // Multiplication keeps the structure. Then come moon and stars in the sky, or fireflies under the trees.
        Solid(new SKColor(96, 108, 176));
        _paint.BlendMode = SKBlendMode.Multiply;
        canvas.DrawRect(0, 0, 1, 1, _paint);
        _paint.BlendMode = SKBlendMode.SrcOver;
        if (background != SceneBackground.Forest)
        {
            Stars(canvas, l, l.SunY);
            return;
        }
        for (int i = 0; i < 8; i++)
        {
            double x = (i + l.Detail.NextDouble()) / 8,
                y = l.Detail.Range(0.2, 0.9);
            Glow(canvas, x, y, 0.05, new SKColor(240, 255, 120, 120));
            Disc(canvas, x, y, 0.012, new SKColor(250, 255, 170));
        }
    }

    private void Stars(SKCanvas canvas, Layout l, double moonY)
    {
        SceneRandom random = new SceneRandom(unchecked((long)(l.PhaseA * 1e15)));
        for (int i = 0; i < 10; i++)
            Disc(canvas, (i + random.NextDouble()) / 10, random.Range(0.03, l.Horizon - 0.16), random.Range(0.008, 0.013), new SKColor(255, 255, 240, 235));
        Glow(canvas, l.SunX, moonY, 0.17, new SKColor(220, 230, 255, 110));
        Disc(canvas, l.SunX, moonY, 0.07, new SKColor(250, 248, 226));
    }

    // ---- strokes ----
    private static SKColor Rgb(int r, int g, int b, double tone = 1) =>
        new((byte)Math.Clamp(r * tone, 0, 255), (byte)Math.Clamp(g * tone, 0, 255), (byte)Math.Clamp(b * tone, 0, 255));

    /// <summary>Paints a sky; at night with colours that <see cref="Night"/> darkens to the same deep blue on every background.</summary>
    private void Sky(SKCanvas canvas, float bottom, SKColor from, SKColor to, bool night) =>
        Gradient(canvas, 0, bottom, night ? Rgb(66, 76, 140) : from, night ? Rgb(206, 204, 236) : to);

    private void Gradient(SKCanvas canvas, float top, float bottom, SKColor from, SKColor to, SKColor? middle = null)
    {
        SKColor[] colours = middle is { } m ? [from, m, to] : [from, to];
        using SKShader shader = SKShader.CreateLinearGradient(new SKPoint(0, top), new SKPoint(0, bottom), colours, SKShaderTileMode.Clamp);
        Fill(shader);
        canvas.DrawRect(0, 0, 1, 1, _paint);
        _paint.Shader = null;
    }

    private void GradientBand(SKCanvas canvas, float top, float bottom, SKColor from, SKColor to)
    {
        using SKShader shader = SKShader.CreateLinearGradient(new SKPoint(0, top), new SKPoint(0, bottom), [from, to], SKShaderTileMode.Clamp);
        Fill(shader);
        canvas.DrawRect(0, top, 1, bottom - top, _paint);
        _paint.Shader = null;
    }

    private void Fill(SKShader shader)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Color = SKColors.White;
        _paint.Shader = shader;
    }

    /// <summary>Paints ground up to a wavy upper edge at height <paramref name="y"/>, lighter at its crest.</summary>
    private void Hills(SKCanvas canvas, float y, float amplitude, double waves, double phase, SKColor crest, SKColor foot)
    {
        using SKPath path = new SKPath();
        path.MoveTo(0, 1);
        const int Steps = 24;
        for (int i = 0; i <= Steps; i++)
        {
            double x = (double)i / Steps;
            double edge = y - (amplitude * ((0.7 * Math.Sin((x * waves * Math.Tau) + phase)) + (0.3 * Math.Sin((x * waves * 2.3 * Math.Tau) + (1.7 * phase)))));
            path.LineTo((float)x, (float)edge);
        }
        path.LineTo(1, 1);
        path.Close();
        using SKShader shader = SKShader.CreateLinearGradient(new SKPoint(0, y - amplitude), new SKPoint(0, 1), [crest, foot], SKShaderTileMode.Clamp);
        Fill(shader);
        canvas.DrawPath(path, _paint);
        _paint.Shader = null;
    }

    private void Solid(SKColor colour)
    {
        _paint.Style = SKPaintStyle.Fill;
        _paint.Shader = null;
        _paint.Color = colour;
    }

    private void Disc(SKCanvas canvas, double x, double y, double radius, SKColor colour)
    {
        Solid(colour);
        canvas.DrawCircle((float)x, (float)y, (float)radius, _paint);
    }

    private void Rect(SKCanvas canvas, double x, double y, double width, double height, SKColor colour)
    {
        Solid(colour);
        canvas.DrawRect((float)x, (float)y, (float)width, (float)height, _paint);
    }

    private void Glow(SKCanvas canvas, double x, double y, double radius, SKColor colour)
    {
        using SKShader shader = SKShader.CreateRadialGradient(
            new SKPoint((float)x, (float)y),
            (float)radius,
            [colour, colour.WithAlpha(0)],
            SKShaderTileMode.Clamp
        );
        Fill(shader);
        canvas.DrawCircle((float)x, (float)y, (float)radius, _paint);
        _paint.Shader = null;
    }

    private void Sun(SKCanvas canvas, Layout l, SKColor colour)
    {
        Glow(canvas, l.SunX, l.SunY, 0.19, colour.WithAlpha(150));
        Disc(canvas, l.SunX, l.SunY, 0.075, colour);
    }

    private void Clouds(SKCanvas canvas, Layout l, int count)
    {
        for (int i = 0; i < count; i++)
        {
            // Away from the sun; if there are two clouds, one on either side of it.
            double x = (l.SunX + 0.33 + (0.36 * i) + l.Detail.Range(-0.06, 0.06)) % 1.0;
            double y = l.Detail.Range(0.10, 0.24),
                size = l.Detail.Range(0.8, 1.15);
            Solid(new SKColor(255, 255, 255, 225));
            canvas.DrawOval((float)x, (float)y, (float)(0.115 * size), (float)(0.034 * size), _paint);
            canvas.DrawOval((float)(x - (0.03 * size)), (float)(y - (0.026 * size)), (float)(0.058 * size), (float)(0.036 * size), _paint);
            canvas.DrawOval((float)(x + (0.038 * size)), (float)(y - (0.016 * size)), (float)(0.05 * size), (float)(0.03 * size), _paint);
        }
    }

    private void Fir(SKCanvas canvas, double x, double foot, double height, SKColor green, SKColor snow)
    {
        using SKPath path = new SKPath();
        for (int tier = 0; tier < 2; tier++)
        {
            double top = foot - height + (tier * 0.4 * height),
                bottom = top + (0.6 * height),
                half = height * (0.2 + (0.1 * tier));
            path.MoveTo((float)x, (float)top);
            path.LineTo((float)(x + half), (float)bottom);
            path.LineTo((float)(x - half), (float)bottom);
            path.Close();
        }
        Solid(green);
        canvas.DrawPath(path, _paint);
        Disc(canvas, x, foot - (0.93 * height), 0.1 * height, snow);
    }

    private void Canopy(SKCanvas canvas, Layout l, double depth, SKColor colour)
    {
        Solid(colour);
        for (int i = 0; i < 8; i++)
            canvas.DrawCircle((float)((i + l.Detail.NextDouble()) / 8), (float)l.Detail.Range(depth - 0.07, depth), 0.085f, _paint);
    }

    private void Wave(SKCanvas canvas, double x, double y, double length, SKColor colour, double width)
    {
        using SKPath path = new SKPath();
        path.MoveTo((float)(x - (length / 2)), (float)y);
        path.QuadTo((float)x, (float)(y - (length * 0.3)), (float)(x + (length / 2)), (float)y);
        _paint.Style = SKPaintStyle.Stroke;
        _paint.StrokeCap = SKStrokeCap.Round;
        _paint.StrokeWidth = (float)width;
        _paint.Shader = null;
        _paint.Color = colour;
        canvas.DrawPath(path, _paint);
        _paint.Style = SKPaintStyle.Fill;
    }

    private void Skyline(SKCanvas canvas, SceneRandom random, double ground, int count, double low, double high, SKColor wall, SKColor? window)
    {
        for (int i = 0; i < count; i++)
        {
            double width = 1.0 / count * random.Range(0.82, 1.1),
                x = (double)i / count,
                height = random.Range(low, high);
            Rect(canvas, x, ground - height, width, height, wall);
            if (window is not { } w)
                continue;
            for (double wy = ground - height + 0.03; wy < ground - 0.05; wy += 0.068)
            for (double wx = x + 0.022; wx < x + width - 0.04; wx += 0.055)
                if (random.Chance(0.7))
                    Rect(canvas, wx, wy, 0.028, 0.036, w);
        }
    }
}
