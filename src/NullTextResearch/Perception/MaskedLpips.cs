using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Perception;

/// <summary>Perceptual distance (LPIPS, Zhang et al. 2018) inside a mask: 0 for equal regions, lower is closer.</summary>
public static class MaskedLpips
{
    /// <summary>Compares two images inside a mask.</summary>
    /// <param name="lpips">The measure; PIE-Bench's tables are made with <see cref="LpipsBackbone.Squeeze"/>. Borrowed.</param>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">
    /// Corrected: the distance of the unmasked pictures at each pixel (<see cref="Lpips.MapOf"/>), averaged over the mask; a feature sees more than its pixel,
    /// so differences near the mask count a little. PieOfficial: the distance of both pictures with black outside the mask, where the edge of the mask is a
    /// structure that both share.
    /// </param>
    /// <returns>0 and up; NaN if the mask is empty.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are too small for the network.</exception>
    public static double Of(Lpips lpips, RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode)
    {
        ArgumentNullException.ThrowIfNull(lpips);
        ArgumentNullException.ThrowIfNull(mask);
        mask.Require(image);
        mask.Require(reference);
        return mode switch
        {
            _ when mask.Count == 0 => double.NaN,
            MaskedMode.PieOfficial => lpips.Of(mask.Apply(image), mask.Apply(reference)),
            MaskedMode.Corrected => lpips.MapOf(image, reference).Where((_, pixel) => mask[pixel]).Average(),
            _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a mode"),
        };
    }
}
