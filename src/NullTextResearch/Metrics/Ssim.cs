using NullTextResearch.Images;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>Structural similarity (Wang et al. 2004): 1 for equal images, higher is closer, at least -1.</summary>
/// <remarks>
/// Constants (0.01 peak)^2 and (0.03 peak)^2; mean over the channels and, by default, over the pixels whose window lies inside the image.
/// </remarks>
public static class Ssim
{
    /// <summary>Compares two images, peak 255.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least as wide and high as the window.</param>
    /// <param name="window">Window; Gaussian by default.</param>
    /// <param name="border">Which pixels count; by default those whose whole window lies inside the image.</param>
    /// <returns>-1 to 1.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are smaller than the window.</exception>
    public static double Of(RgbImage image, RgbImage reference, SsimWindow window = SsimWindow.Gaussian11, SsimBorder border = SsimBorder.Inside) =>
        Of(Planes.Of(image), Planes.Of(reference), 255, window, border);

    /// <summary>Compares each image of a batch.</summary>
    /// <param name="images">[B, C, H, W], any device and type; borrowed.</param>
    /// <param name="reference">The same shape; borrowed.</param>
    /// <param name="peak">Width of the value range: 1 for [0, 1] (default), 2 for pixels in [-1, 1].</param>
    /// <param name="window">Window; Gaussian by default.</param>
    /// <returns>B values from -1 to 1.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or images are smaller than the window.</exception>
    public static double[] PerImage(Tensor images, Tensor reference, double peak = 1, SsimWindow window = SsimWindow.Gaussian11)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(reference);
        Shape.RequireSame(images, reference);
        Planes.RequirePeak(peak);
        return [.. Planes.Of(images).Zip(Planes.Of(reference), (a, b) => Of(a, b, peak, window))];
    }

    internal static double Of(Planes a, Planes b, double peak, SsimWindow window, SsimBorder border = SsimBorder.Inside)
    {
        double sum = 0;
        int count = 0;
        foreach (double[] plane in Map(a, b, peak, window, border).Values)
        {
            foreach (double value in plane)
                sum += value;
            count += plane.Length;
        }

        return sum / count;
    }

    /// <summary>The similarity at each pixel and channel.</summary>
    /// <param name="a">One image.</param>
    /// <param name="b">Another.</param>
    /// <param name="peak">Width of the value range.</param>
    /// <param name="window">Window.</param>
    /// <param name="border">Which pixels get a value.</param>
    internal static Planes Map(Planes a, Planes b, double peak, SsimWindow window, SsimBorder border)
    {
        double c1 = LuminanceConstant(peak),
            c2 = ContrastConstant(peak);
        return Map(
            a,
            b,
            window,
            border,
            (x, y, varianceX, varianceY, covariance) => ((2 * x * y) + c1) * ((2 * covariance) + c2) / (((x * x) + (y * y) + c1) * (varianceX + varianceY + c2))
        );
    }

    /// <summary>Contrast and structure alone, without luminance, at each pixel and channel.</summary>
    internal static Planes ContrastMap(Planes a, Planes b, double peak)
    {
        double c2 = ContrastConstant(peak);
        return Map(
            a,
            b,
            SsimWindow.Gaussian11,
            SsimBorder.Inside,
            (_, _, varianceX, varianceY, covariance) => ((2 * covariance) + c2) / (varianceX + varianceY + c2)
        );
    }

    private static double LuminanceConstant(double peak) => 0.01 * peak * 0.01 * peak;

    private static double ContrastConstant(double peak) => 0.03 * peak * 0.03 * peak;

    /// <summary>A function of both means, both variances and the covariance in the window at each pixel and channel.</summary>
    private static Planes Map(Planes a, Planes b, SsimWindow window, SsimBorder border, Func<double, double, double, double, double, double> at)
    {
        Planes.RequireSame(a, b);
        double[] taps = Taps(window);
        if (a.Width < taps.Length || a.Height < taps.Length)
        {
            throw new ArgumentException(
                $"structural similarity needs images of at least {taps.Length} x {taps.Length} pixels for its window, got {a.Width} x {a.Height}"
            );
        }

        if (border == SsimBorder.Reflected)
            (a, b) = (a.Reflected(taps.Length / 2), b.Reflected(taps.Length / 2));

        // A sample covariance divides by the number of pixels in the window minus one.
        double pixels = taps.Length * taps.Length;
        double scale = window == SsimWindow.Uniform7 ? pixels / (pixels - 1) : 1;
        double[][] maps = new double[a.Values.Length][];
        for (int channel = 0; channel < maps.Length; channel++)
        {
            double[] x = a.Values[channel],
                y = b.Values[channel];
            double[] meanX = Smooth(x, a.Width, a.Height, taps),
                meanY = Smooth(y, a.Width, a.Height, taps);
            double[] xx = Smooth(Product(x, x), a.Width, a.Height, taps),
                yy = Smooth(Product(y, y), a.Width, a.Height, taps);
            double[] xy = Smooth(Product(x, y), a.Width, a.Height, taps);
            double[] map = maps[channel] = new double[meanX.Length];
            for (int i = 0; i < meanX.Length; i++)
                map[i] = at(
                    meanX[i],
                    meanY[i],
                    scale * (xx[i] - (meanX[i] * meanX[i])),
                    scale * (yy[i] - (meanY[i] * meanY[i])),
                    scale * (xy[i] - (meanX[i] * meanY[i]))
                );
        }

        return new Planes(a.Width - taps.Length + 1, a.Height - taps.Length + 1, maps);
    }

    private static double[] Taps(SsimWindow window)
    {
        double[] taps = window switch
        {
            SsimWindow.Gaussian11 => [.. Enumerable.Range(-5, 11).Select(i => Math.Exp(-i * i / (2 * 1.5 * 1.5)))],
            SsimWindow.Uniform7 => [.. Enumerable.Repeat(1.0, 7)],
            _ => throw new ArgumentOutOfRangeException(nameof(window), window, "not a window"),
        };
        double sum = taps.Sum();
        return [.. taps.Select(t => t / sum)];
    }

    private static double[] Product(double[] x, double[] y)
    {
        double[] product = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            product[i] = x[i] * y[i];
        }

        return product;
    }

    /// <summary>Separable weighted mean at every position where the window fits.</summary>
    private static double[] Smooth(double[] plane, int width, int height, double[] taps)
    {
        int innerWidth = width - taps.Length + 1,
            innerHeight = height - taps.Length + 1;
        double[] rows = new double[innerWidth * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < innerWidth; x++)
            {
                double sum = 0;
                for (int k = 0; k < taps.Length; k++)
                {
                    sum += taps[k] * plane[(y * width) + x + k];
                }

                rows[(y * innerWidth) + x] = sum;
            }
        }

        double[] result = new double[innerWidth * innerHeight];
        for (int y = 0; y < innerHeight; y++)
        {
            for (int x = 0; x < innerWidth; x++)
            {
                double sum = 0;
                for (int k = 0; k < taps.Length; k++)
                {
                    sum += taps[k] * rows[((y + k) * innerWidth) + x];
                }

                result[(y * innerWidth) + x] = sum;
            }
        }

        return result;
    }
}
