using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Mean squared error inside a mask: 0 for equal regions, lower is closer.</summary>
public static class MaskedMse
{
    /// <summary>Compares two images inside a mask, over all channels, with bytes scaled to [0, 1].</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">The pixels to average over.</param>
    /// <returns>0 (equal) to 1 (black against white); NaN for an empty mask, as in the benchmark.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode)
    {
        ArgumentNullException.ThrowIfNull(mask);
        mask.Require(image);
        mask.Require(reference);
        if (mask.Count == 0)
            return double.NaN;
        // The pictures are equal outside the mask, so the whole-picture error is the region's error spread over all pixels.
        double whole = Mse.Of(mask.Apply(image), mask.Apply(reference));
        return mode switch
        {
            MaskedMode.PieOfficial => whole,
            MaskedMode.Corrected => whole * (mask.Width * mask.Height) / mask.Count,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a mode"),
        };
    }
}
