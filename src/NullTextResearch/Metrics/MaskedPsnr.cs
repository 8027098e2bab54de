using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Peak signal-to-noise ratio inside a mask in dB, 10 log10(1 / mean squared error): higher is closer, infinite for equal regions.</summary>
public static class MaskedPsnr
{
    /// <summary>Compares two images inside a mask, peak 255.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">The pixels to average over.</param>
    /// <returns>dB, at least 0; NaN for an empty mask.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode) =>
        Psnr.FromMse(MaskedMse.Of(image, reference, mask, mode), 1);
}
