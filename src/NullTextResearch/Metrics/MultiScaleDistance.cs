using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>An image distance without trained weights: one minus the mean structural similarity over an image pyramid.</summary>
/// <remarks>
/// Structural similarity (Gaussian window, RGB) is computed at full size and after each halving by 2 x 2 means, at most three levels, as long as the shorter
/// side is at least 11 pixels. All levels have equal weight. It replaces the learned distance of the paper (LPIPS): as there, 0 means equal, larger means
/// further apart, and contrast and structure count more than brightness. Its values are not comparable with LPIPS values.
/// </remarks>
public static class MultiScaleDistance
{
    private const int Levels = 3;
    private const int Window = 11;

    /// <summary>Compares two images.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least 11 x 11 pixels.</param>
    /// <returns>0 (equal) to 2; about 1 for unrelated images.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are below 11 pixels.</exception>
    public static double Of(RgbImage image, RgbImage reference)
    {
        Planes a = Planes.Of(image),
            b = Planes.Of(reference);
        double sum = 0;
        int levels = 0;
        do
        {
            sum += Ssim.Of(a, b, 255, SsimWindow.Gaussian11);
            levels++;
            (a, b) = (a.Half(), b.Half());
        } while (levels < Levels && Math.Min(a.Width, a.Height) >= Window);
        return 1 - (sum / levels);
    }
}
