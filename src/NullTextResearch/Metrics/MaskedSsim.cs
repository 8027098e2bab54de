using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Structural similarity (Wang et al. 2004) inside a mask: 1 for equal regions, higher is closer, at least -1.</summary>
public static class MaskedSsim
{
    /// <summary>Compares two images inside a mask, peak 255, Gaussian window of 11 x 11 pixels.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least 11 x 11 pixels.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">
    /// The pixels to average over. Corrected: the similarity of the unmasked pictures, averaged over the pixels of the mask. PieOfficial: the edge of the mask
    /// counts as a structure that both pictures share.
    /// </param>
    /// <param name="border">
    /// The pixels of the picture that count. By default all, as in newer versions of the library that the benchmark uses; to compare with tables made with
    /// older versions, use <see cref="SsimBorder.Inside"/>.
    /// </param>
    /// <returns>-1 to 1; NaN if no pixel counts.</returns>
    /// <exception cref="ArgumentException">The sizes differ, or are smaller than the window.</exception>
    public static double Of(RgbImage image, RgbImage reference, RegionMask mask, MaskedMode mode, SsimBorder border = SsimBorder.Reflected)
    {
        ArgumentNullException.ThrowIfNull(mask);
        mask.Require(image);
        mask.Require(reference);
        switch (mode)
        {
            case MaskedMode.PieOfficial:
                return mask.Count == 0 ? double.NaN : Ssim.Of(mask.Apply(image), mask.Apply(reference), border: border);
            case MaskedMode.Corrected:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(mode), mode, "not a mode");
        }
        Planes map = Ssim.Map(Planes.Of(image), Planes.Of(reference), 255, SsimWindow.Gaussian11, border);
        int left = (mask.Width - map.Width) / 2,
            top = (mask.Height - map.Height) / 2,
            count = 0;
        double sum = 0;
        for (int y = 0; y < map.Height; y++)
        {
            for (int x = 0; x < map.Width; x++)
            {
                if (!mask[((y + top) * mask.Width) + x + left])
                    continue;
                sum += map.Values.Sum(plane => plane[(y * map.Width) + x]);
                count += map.Values.Length;
            }
        }
        return sum / count;
    }
}
