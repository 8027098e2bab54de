using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Peak signal-to-noise ratio inside of a mask in dB, 10 log10(1 / mean squared error): higher is closer, infinite for equal parts.</summary>
public static class MaskedPsnr
{
    /// <summary>Of two images inside of a mask, peak 255.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">What is averaged over.</param>
    /// <returns>dB, at least 0; not a number for an empty mask.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode) =>
        Psnr.FromMse(MaskedMse.Of(image, reference, mask, mode), 1);
}
