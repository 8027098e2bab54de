using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures;

/// <summary>Attention maps as colour over a picture.</summary>
public static class HeatmapOverlay
{
    // Dark violet to pale yellow in even steps of lightness, so that brighter always reads as more.
    private static readonly (byte R, byte G, byte B)[] Scale =
    [
        (10, 7, 34),
        (43, 16, 91),
        (90, 22, 110),
        (137, 34, 106),
        (184, 50, 84),
        (222, 78, 54),
        (245, 121, 24),
        (251, 170, 23),
        (249, 221, 76),
        (252, 253, 191),
    ];

    /// <summary>Overlays a map on a picture: the picture shows through in grey; the map sets the colour, more strongly where it is high.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="map">Non-negative values, row by row, any scale. An all-zero map stays dark.</param>
    /// <param name="mapWidth">Columns of the map, stretched over the picture's width with bilinear interpolation.</param>
    /// <param name="mapHeight">Rows of the map, stretched over the picture's height.</param>
    /// <param name="brightest">
    /// The value that gets the brightest colour, as do all above it; null (default): the map's maximum. Maps to be compared need the same value.
    /// </param>
    /// <returns>A new picture of the same size.</returns>
    /// <exception cref="ArgumentException">
    /// The map's length is not width x height, or it holds a negative or non-finite value; or <paramref name="brightest"/> is not positive.
    /// </exception>
    public static RgbImage Over(RgbImage image, float[] map, int mapWidth, int mapHeight, double? brightest = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(map);
        if (mapWidth < 1 || mapHeight < 1 || map.Length != mapWidth * mapHeight)
        {
            throw new ArgumentException($"A map of {mapWidth}x{mapHeight} needs {(long)mapWidth * mapHeight} values, got {map.Length}.", nameof(map));
        }

        int wrong = Array.FindIndex(map, value => !(value >= 0) || float.IsInfinity(value));
        if (wrong >= 0)
        {
            throw new ArgumentException($"Map value {wrong} is {Csv.Number(map[wrong])}; expected finite values of 0 or more.", nameof(map));
        }

        if (brightest is { } limit && !(limit > 0 && double.IsFinite(limit)))
            throw new ArgumentException($"The brightest value is {Csv.Number(limit)}; expected a positive number.", nameof(brightest));
        float maximum = (float)(brightest ?? map.Max());
        float scale = maximum > 0 ? 1 / maximum : 0;
        byte[] result = new byte[image.Rgb.Length];
        for (int y = 0; y < image.Height; y++)
        {
            (int top, int bottom, float down) = Between(y, image.Height, mapHeight);
            for (int x = 0; x < image.Width; x++)
            {
                (int left, int right, float across) = Between(x, image.Width, mapWidth);
                float above = float.Lerp(map[(top * mapWidth) + left], map[(top * mapWidth) + right], across);
                float below = float.Lerp(map[(bottom * mapWidth) + left], map[(bottom * mapWidth) + right], across);
                float value = Math.Min(1, float.Lerp(above, below, down) * scale);

                int at = ((y * image.Width) + x) * 3;
                ReadOnlySpan<byte> pixel = image.Rgb.AsSpan(at, 3);
                float grey = (0.2126f * pixel[0]) + (0.7152f * pixel[1]) + (0.0722f * pixel[2]);
                (float r, float g, float b) = Color(value);
                float weight = 0.45f + (0.35f * value);
                result[at] = Mix(grey, r, weight);
                result[at + 1] = Mix(grey, g, weight);
                result[at + 2] = Mix(grey, b, weight);
            }
        }

        return new RgbImage(image.Width, image.Height, result);
    }

    /// <summary>
    /// Overlays several maps on a picture on one scale, as multiples of an even share: a diffuse map stays dull next to a focused one.
    /// </summary>
    /// <param name="image">The picture.</param>
    /// <param name="maps">At least one map, as for <see cref="Over"/>.</param>
    /// <param name="mapWidth">Columns of each map.</param>
    /// <param name="mapHeight">Rows of each map.</param>
    /// <returns>A picture for each map, and an explanation of the scale, for a subtitle.</returns>
    public static (RgbImage[] Overlays, string Scale) OnOneScale(RgbImage image, IReadOnlyList<float[]> maps, int mapWidth, int mapHeight)
    {
        ArgumentNullException.ThrowIfNull(maps);
        float[][] densities = [.. maps.Select(MapStatistics.Density)];
        float brightest = Math.Max(1, densities.Max(map => map.Max()));
        string scale = string.Create(
            Csv.Culture,
            $"brightness: 0 to {brightest:0.0} times an even share; an even map has {Math.Log2(mapWidth * mapHeight):0.0} bits"
        );
        return ([.. densities.Select(map => Over(image, map, mapWidth, mapHeight, brightest))], scale);
    }

    /// <summary>Map cells on both sides of a pixel's centre, and its fractional position between them.</summary>
    private static (int First, int Second, float Fraction) Between(int pixel, int pixels, int cells)
    {
        float position = Math.Clamp(((pixel + 0.5f) * cells / pixels) - 0.5f, 0, cells - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, cells - 1), position - first);
    }

    private static (float R, float G, float B) Color(float value)
    {
        float position = Math.Clamp(value, 0, 1) * (Scale.Length - 1);
        int first = Math.Min((int)position, Scale.Length - 2);
        float fraction = position - first;
        (byte r0, byte g0, byte b0) = Scale[first];
        (byte r1, byte g1, byte b1) = Scale[first + 1];
        return (float.Lerp(r0, r1, fraction), float.Lerp(g0, g1, fraction), float.Lerp(b0, b1, fraction));
    }

    private static byte Mix(float grey, float color, float weight) => (byte)Math.Clamp(MathF.Round(float.Lerp(grey, color, weight)), 0, 255);
}
