namespace NullTextResearch.Images;

/// <summary>Separable antialiased resampling: when shrinking, the filter is widened by the scale, so every source pixel contributes.</summary>
/// <remarks>Implemented here instead of using the decoder library, so that results are the same on every machine and shrinking does not alias.</remarks>
public static class ImageResize
{
    /// <summary>Resizes an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="width">New width in pixels, at least 1.</param>
    /// <param name="height">New height in pixels, at least 1.</param>
    /// <param name="filter">Weight function.</param>
    /// <returns>The resized image; the same instance if it already has that size.</returns>
    /// <exception cref="ArgumentException">The result or the intermediate image does not fit in one array.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height, ResizeFilter filter = ResizeFilter.Bicubic)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (width == image.Width && height == image.Height)
        {
            return image;
        }

        if (Math.Max((long)image.Height, height) * width * 3 > Array.MaxLength)
        {
            throw new ArgumentException($"resizing {image} to {width} x {height} needs more than {Array.MaxLength} bytes; crop the image first");
        }

        // Horizontal pass first, intermediate result rounded to bytes: the order and rounding of the reference library.
        byte[] narrowed = new byte[image.Height * width * 3];
        ResizeAxis(image.Rgb, narrowed, Taps.Make(image.Width, width, filter), image.Height, image.Width * 3, 3, width * 3, 3);
        byte[] result = new byte[height * width * 3];
        ResizeAxis(narrowed, result, Taps.Make(image.Height, height, filter), width, 3, width * 3, 3, width * 3);
        return new RgbImage(width, height, result);
    }

    private static void ResizeAxis(byte[] source, byte[] target, Taps[] taps, int lines, int sourceLine, int sourceStep, int targetLine, int targetStep)
    {
        for (int line = 0; line < lines; line++)
        {
            for (int i = 0; i < taps.Length; i++)
            {
                double red = 0,
                    green = 0,
                    blue = 0;
                int at = (line * sourceLine) + (taps[i].First * sourceStep);
                foreach (double weight in taps[i].Weights)
                {
                    red += weight * source[at];
                    green += weight * source[at + 1];
                    blue += weight * source[at + 2];
                    at += sourceStep;
                }

                int to = (line * targetLine) + (i * targetStep);
                target[to] = ToByte(red);
                target[to + 1] = ToByte(green);
                target[to + 2] = ToByte(blue);
            }
        }
    }

    private static byte ToByte(double value) => (byte)Math.Clamp(Math.Floor(value + 0.5), 0, 255);

    /// <summary>The source pixels that contribute to one target pixel.</summary>
    private sealed record Taps(int First, double[] Weights)
    {
        internal static Taps[] Make(int source, int target, ResizeFilter filter)
        {
            double scale = (double)source / target;
            double stretch = Math.Max(scale, 1);
            Taps[] taps = new Taps[target];
            for (int i = 0; i < target; i++)
            {
                double centre = (i + 0.5) * scale;
                if (filter == ResizeFilter.Nearest)
                {
                    taps[i] = new Taps(Math.Min((int)centre, source - 1), [1]);
                    continue;
                }

                double reach = Support(filter) * stretch;
                int first = Math.Max(0, (int)(centre - reach + 0.5));
                int end = Math.Min(source, (int)(centre + reach + 0.5));
                double[] weights = new double[end - first];
                double sum = 0;
                for (int k = 0; k < weights.Length; k++)
                {
                    weights[k] = Weight(filter, (first + k + 0.5 - centre) / stretch);
                    sum += weights[k];
                }

                taps[i] = new Taps(first, [.. weights.Select(w => w / sum)]);
            }

            return taps;
        }

        private static double Support(ResizeFilter filter) =>
            filter switch
            {
                ResizeFilter.Bilinear => 1,
                ResizeFilter.Bicubic => 2,
                ResizeFilter.Lanczos => 3,
                _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "not a resize filter"),
            };

        private static double Weight(ResizeFilter filter, double x)
        {
            x = Math.Abs(x);
            switch (filter)
            {
                case ResizeFilter.Bilinear:
                    return Math.Max(0, 1 - x);
                case ResizeFilter.Bicubic:
                    return x < 1 ? (((1.5 * x) - 2.5) * x * x) + 1
                        : x < 2 ? (((((-0.5 * x) + 2.5) * x) - 4) * x) + 2
                        : 0;
                default:
                    return x >= 3 ? 0 : Sinc(x) * Sinc(x / 3);
            }
        }

        private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);
    }
}
