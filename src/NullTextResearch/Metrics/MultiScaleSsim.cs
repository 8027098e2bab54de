using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>
/// Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003): contrast and structure at several sizes of the image, luminance at the smallest. 1 for
/// equal images, higher is closer, 0 is the least.
/// </summary>
/// <remarks>
/// Gaussian window of 11 pixels (sigma 1.5), each scale half the size of the one before by means of 2 x 2 pixels, exponents 0.0448, 0.2856, 0.3001, 0.2363 and
/// 0.1333 for five scales; computed per channel, then averaged. Negative means count as 0. Five scales need 176 pixels a side. A smaller image has fewer, with
/// the exponents of the first ones, scaled to sum to 1; values with different numbers of scales are not comparable.
/// </remarks>
public static class MultiScaleSsim
{
    private const int Window = 11;
    private static readonly double[] Exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

    /// <summary>Most scales that an image's size allows, 1 to 5; 0 if it is smaller than the window.</summary>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    public static int ScalesOf(int width, int height)
    {
        int scales = 0;
        for (int side = Math.Min(width, height); side >= Window && scales < Exponents.Length; side /= 2)
            scales++;
        return scales;
    }

    /// <summary>Compares two images, peak 255.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="scales">Number of scales, 1 to 5; null for as many as the size allows.</param>
    /// <returns>0 to 1.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are too small for the scales.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such number of scales.</exception>
    public static double Of(RgbImage image, RgbImage reference, int? scales = null)
    {
        Planes a = Planes.Of(image),
            b = Planes.Of(reference);
        Planes.RequireSame(a, b);
        int most = ScalesOf(a.Width, a.Height),
            count = scales ?? most;
        if (scales is { } asked && (asked < 1 || asked > Exponents.Length))
            throw new ArgumentOutOfRangeException(nameof(scales), scales, $"multi-scale similarity has 1 to {Exponents.Length} scales");
        if (most == 0)
            throw new ArgumentException(
                $"structural similarity needs images of at least {Window} x {Window} pixels for its window, got {a.Width} x {a.Height}"
            );
        if (count > most)
            throw new ArgumentException(
                $"structural similarity at {count} scales needs images of at least {Window << (count - 1)} pixels a side; {a.Width} x {a.Height} allow {most}"
            );
        double sum = Exponents.Take(count).Sum();
        double[] product = [.. a.Values.Select(_ => 1.0)];
        for (int scale = 0; scale < count; scale++)
        {
            bool isLast = scale == count - 1;
            Planes map = isLast ? Ssim.Map(a, b, 255, SsimWindow.Gaussian11, SsimBorder.Inside) : Ssim.ContrastMap(a, b, 255);
            for (int channel = 0; channel < product.Length; channel++)
                product[channel] *= Math.Pow(Math.Max(0, map.Values[channel].Average()), Exponents[scale] / sum);
            if (!isLast)
                (a, b) = (a.Half(), b.Half());
        }
        return product.Average();
    }
}
