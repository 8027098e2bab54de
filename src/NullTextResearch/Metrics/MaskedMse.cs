using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Mean squared error inside of a mask: 0 for equal parts, lower is closer.</summary>
public static class MaskedMse
{
    /// <summary>Of two images inside of a mask, over all channels, as if bytes were 0 to 1.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">What is averaged over.</param>
    /// <returns>0 (equal) to 1 (black against white); not a number for an empty mask, as the benchmark has it.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode)
    {
        ArgumentNullException.ThrowIfNull(mask);
        mask.Require(image);
        mask.Require(reference);
        if (mask.Count == 0)
            return double.NaN;
        // Equal outside, so the whole picture's error is the part's, spread over all pixels.
        double whole = Mse.Of(mask.Apply(image), mask.Apply(reference));
        return mode switch
        {
            MaskedMode.PieOfficial => whole,
            MaskedMode.Corrected => whole * (mask.Width * mask.Height) / mask.Count,
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a mode"),
        };
    }
}
