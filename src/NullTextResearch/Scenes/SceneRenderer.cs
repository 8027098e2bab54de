using SkiaSharp;

namespace NullTextResearch.Scenes;

/// <summary>
/// Paints scenes and their object masks. A renderer is not thread-safe: use one per thread (they share the decoded sprites). On the same machine, the same
/// scene and size give the same bytes with any renderer.
/// </summary>
public sealed class SceneRenderer : IDisposable
{
    /// <summary>Smallest picture side in pixels.</summary>
    public const int MinimumSize = 16;

    /// <summary>Largest picture side in pixels.</summary>
    public const int MaximumSize = 2048;

    private readonly BackgroundPainter _backgrounds = new();
    private readonly SKPaint _paint = new() { IsAntialias = true };
    private SKBitmap? _bitmap;
    private SKCanvas? _canvas;
    private bool _disposed;

    /// <summary>Paints a scene.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="size">Width and height in pixels, 16..2048.</param>
    /// <returns>Bytes [size, size, 3], rows from the top, red, green, blue.</returns>
    /// <exception cref="ArgumentException">The size is out of range or the scene contradicts itself.</exception>
    public byte[] Render(SceneDescription scene, int size)
    {
        CheckSize(size);
        byte[] rgb = new byte[size * size * 3];
        RenderInto(scene, size, rgb);
        return rgb;
    }

    /// <summary>Paints a scene into the caller's memory.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="size">Width and height in pixels, 16..2048.</param>
    /// <param name="rgb">Receives bytes [size, size, 3], rows from the top, red, green, blue; exactly that long.</param>
    /// <exception cref="ArgumentException">The size or the length is wrong, or the scene contradicts itself.</exception>
    public void RenderInto(SceneDescription scene, int size, Span<byte> rgb)
    {
        Check(scene, size);
        if (rgb.Length != size * size * 3)
            throw new ArgumentException($"Expected {size * size * 3} bytes for {size}x{size} RGB, got {rgb.Length}.", nameof(rgb));
        SKCanvas canvas = Canvas(size);
        canvas.Save();
        canvas.Scale(size, size);
        _backgrounds.Paint(canvas, scene.Background, scene.BackgroundSeed, scene.Night);
        foreach (SceneObject o in scene.Objects)
            DrawShadow(canvas, o);
        _backgrounds.PaintWeatherBehind(canvas, scene);
        canvas.Restore();
        foreach (SceneObject o in scene.Objects)
        {
            using SKColorFilter filter = LightFilter(o.Light, scene.Night);
            DrawSprite(canvas, o, size, filter, SKBlendMode.SrcOver);
        }
        canvas.Save();
        canvas.Scale(size, size);
        _backgrounds.PaintWeatherBefore(canvas, scene);
        canvas.Restore();
        canvas.Flush();
        Span<byte> pixels = _bitmap!.GetPixelSpan();
        for (int i = 0, j = 0; j < rgb.Length; i += 4, j += 3)
        {
            rgb[j] = pixels[i];
            rgb[j + 1] = pixels[i + 1];
            rgb[j + 2] = pixels[i + 2];
        }
        if (scene.Style == SceneStyle.Drawing)
            Draw(rgb, size);
    }

    /// <summary>How much of each pixel an object covers, excluding parts hidden by later objects. Its shadow does not count.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="objectIndex">Index into <see cref="SceneDescription.Objects"/>.</param>
    /// <param name="size">Width and height in pixels, 16..2048.</param>
    /// <returns>Bytes [size, size], 0 (none) to 255 (all).</returns>
    /// <exception cref="ArgumentException">The index or size is out of range, or the scene contradicts itself.</exception>
    public byte[] ObjectCoverage(SceneDescription scene, int objectIndex, int size)
    {
        Check(scene, size);
        if (objectIndex < 0 || objectIndex >= scene.Objects.Count)
            throw new ArgumentOutOfRangeException(
                nameof(objectIndex),
                objectIndex,
                $"The scene has {scene.Objects.Count} object(s): expected 0..{scene.Objects.Count - 1}."
            );
        SKCanvas canvas = Canvas(size);
        canvas.Clear(SKColors.Transparent);
        DrawSprite(canvas, scene.Objects[objectIndex], size, null, SKBlendMode.SrcOver);
        for (int i = objectIndex + 1; i < scene.Objects.Count; i++)
            DrawSprite(canvas, scene.Objects[i], size, null, SKBlendMode.DstOut);
        canvas.Flush();
        Span<byte> pixels = _bitmap!.GetPixelSpan();
        byte[] coverage = new byte[size * size];
        for (int i = 0; i < coverage.Length; i++)
            coverage[i] = pixels[(i * 4) + 3];
        return coverage;
    }

    /// <summary>The visible pixels of an object: those that it covers by at least half.</summary>
    /// <param name="scene">The scene.</param>
    /// <param name="objectIndex">Index into <see cref="SceneDescription.Objects"/>.</param>
    /// <param name="size">Width and height in pixels, 16..2048.</param>
    /// <returns>Bytes [size, size], 255 inside and 0 outside.</returns>
    /// <exception cref="ArgumentException">The index or size is out of range, or the scene contradicts itself.</exception>
    public byte[] ObjectMask(SceneDescription scene, int objectIndex, int size)
    {
        byte[] mask = ObjectCoverage(scene, objectIndex, size);
        for (int i = 0; i < mask.Length; i++)
            mask[i] = mask[i] >= 128 ? (byte)255 : (byte)0;
        return mask;
    }

    /// <summary>
    /// Where an edit should be visible: for an object edit, every pixel that the object touches before or after it (shadows excluded); for a background edit,
    /// every pixel that no object touches; for a weather or style edit, everywhere.
    /// </summary>
    /// <param name="plan">The edit.</param>
    /// <param name="size">Width and height in pixels, 16..2048.</param>
    /// <returns>Bytes [size, size], 255 inside and 0 outside.</returns>
    /// <exception cref="ArgumentException">The size is out of range.</exception>
    public byte[] EditMask(SceneEditPlan plan, int size)
    {
        ArgumentNullException.ThrowIfNull(plan);
        CheckSize(size);
        byte[] mask = new byte[size * size];
        if (plan.Edit.ObjectIndex is not null)
        {
            if (plan.Edit.IndexBefore is { } before)
                Paint(mask, ObjectCoverage(plan.Source, before, size), 255);
            if (plan.Edit.IndexAfter is { } after)
                Paint(mask, ObjectCoverage(plan.Target, after, size), 255);
            return mask;
        }
        Array.Fill(mask, (byte)255);
        if (plan.Edit.IsEverywhere)
            return mask;
        for (int i = 0; i < plan.Source.Objects.Count; i++)
            Paint(mask, ObjectCoverage(plan.Source, i, size), 0);
        return mask;
    }

    /// <summary>Frees the native canvas.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _canvas?.Dispose();
        _bitmap?.Dispose();
        _paint.Dispose();
        _backgrounds.Dispose();
    }

    /// <summary>Turns a picture into a drawing: its edges in dark pencil over much paler colours.</summary>
    private static void Draw(Span<byte> rgb, int size)
    {
        const double Wash = 0.45,
            Pencil = 2.6;
        // Lines as wide as one pixel at the model's size of 64.
        int reach = Math.Max(1, size / 64);
        double[] light = new double[size * size];
        for (int i = 0; i < light.Length; i++)
            light[i] = ((0.30 * rgb[3 * i]) + (0.59 * rgb[(3 * i) + 1]) + (0.11 * rgb[(3 * i) + 2])) / 255;
        double At(int x, int y) => light[(Math.Clamp(y, 0, size - 1) * size) + Math.Clamp(x, 0, size - 1)];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double across = At(x + reach, y) - At(x - reach, y),
                    down = At(x, y + reach) - At(x, y - reach);
                double ink = Math.Min(0.85, Pencil * Math.Sqrt((across * across) + (down * down)) * 0.5);
                for (int c = 0; c < 3; c++)
                {
                    ref byte value = ref rgb[(((y * size) + x) * 3) + c];
                    value = (byte)Math.Round((255 - (Wash * (255 - value))) * (1 - ink));
                }
            }
        }
    }

    private static void Paint(byte[] mask, byte[] coverage, byte value)
    {
        for (int i = 0; i < mask.Length; i++)
        {
            if (coverage[i] > 0)
                mask[i] = value;
        }
    }

    private static void CheckSize(int size)
    {
        if (size is < MinimumSize or > MaximumSize)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"Expected a side of {MinimumSize} to {MaximumSize} pixels.");
    }

    private void Check(SceneDescription scene, int size)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(scene);
        CheckSize(size);
        foreach (SceneObject o in scene.Objects)
        {
            if (o.Colour is null == ToyScenes.IsColourable(o.Kind))
                throw new ArgumentException(
                    $"A {CaptionGrammar.Noun(o.Kind)} {(o.Colour is null ? "needs a colour" : "comes in one colour only: set Colour to null")}.",
                    nameof(scene)
                );
        }
        if (scene.Weather != SceneWeather.Clear && !ToyScenes.AllowsWeather(scene))
            throw new ArgumentException("At night and in a drawing the weather is always clear: set Weather to Clear.", nameof(scene));
        if (scene.WeatherAmount is not (>= 0 and <= 1))
            throw new ArgumentException(
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The amount of weather is {scene.WeatherAmount}; expected 0 to 1."),
                nameof(scene)
            );
        if (scene.Night && !ToyScenes.AllowsNight(scene.Background))
            throw new ArgumentException($"Background '{scene.Background}' has no night version: set Night to false.", nameof(scene));
    }

    private SKCanvas Canvas(int size)
    {
        if (_bitmap is null || _bitmap.Width != size)
        {
            _canvas?.Dispose();
            _bitmap?.Dispose();
            _bitmap = new SKBitmap(new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Premul));
            _canvas = new SKCanvas(_bitmap);
        }
        return _canvas!;
    }

    /// <summary>Paints a soft ellipse at the object's foot. It depends only on place and size, so swapping the kind keeps it.</summary>
    private void DrawShadow(SKCanvas canvas, SceneObject o)
    {
        float x = (float)o.CentreX,
            y = (float)(o.CentreY + (0.47 * o.Side)),
            rx = (float)(0.5 * o.Side),
            squash = 0.22f;
        canvas.Save();
        canvas.Translate(x, y);
        canvas.Scale(1, squash);
        SKColor dark = new SKColor(10, 10, 30, 130);
        using SKShader shader = SKShader.CreateRadialGradient(
            new SKPoint(0, 0),
            rx,
            [dark, dark.WithAlpha(90), dark.WithAlpha(0)],
            [0, 0.45f, 1],
            SKShaderTileMode.Clamp
        );
        _paint.Shader = shader;
        _paint.Color = SKColors.White;
        _paint.ColorFilter = null;
        _paint.BlendMode = SKBlendMode.SrcOver;
        canvas.DrawCircle(0, 0, rx, _paint);
        _paint.Shader = null;
        canvas.Restore();
    }

    private void DrawSprite(SKCanvas canvas, SceneObject o, int size, SKColorFilter? filter, SKBlendMode blend)
    {
        double side = o.Side * size;
        SKImage image = SpriteAtlas.Get(o.Kind, o.Colour, side);
        SKSamplingOptions sampling =
            side > SpriteAtlas.FullSide ? new SKSamplingOptions(SKCubicResampler.Mitchell) : new SKSamplingOptions(SKFilterMode.Linear);
        canvas.Save();
        canvas.Translate((float)(o.CentreX * size), (float)(o.CentreY * size));
        canvas.RotateDegrees((float)o.Rotation);
        canvas.Scale(o.Flip ? -1 : 1, 1);
        _paint.Shader = null;
        _paint.Color = SKColors.White;
        _paint.ColorFilter = filter;
        _paint.BlendMode = blend;
        float half = (float)(side / 2);
        canvas.DrawImage(image, new SKRect(-half, -half, half, half), sampling, _paint);
        _paint.ColorFilter = null;
        _paint.BlendMode = SKBlendMode.SrcOver;
        canvas.Restore();
    }

    private static SKColorFilter LightFilter(double light, bool night)
    {
        // Moonlight is dim and bluish, but keeps the colours recognisable.
        float r = (float)(light * (night ? 0.74 : 1)),
            g = (float)(light * (night ? 0.76 : 1)),
            b = (float)(light * (night ? 0.92 : 1));
        return SKColorFilter.CreateColorMatrix([r, 0, 0, 0, 0, 0, g, 0, 0, 0, 0, 0, b, 0, 0, 0, 0, 0, 1, 0]);
    }
}
