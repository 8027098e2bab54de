using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Structural similarity (Wang et al. 2004) inside of a mask: 1 for equal parts, higher is closer, at least -1.</summary>
public static class MaskedSsim
{
    /// <summary>Of two images inside of a mask, peak 255, Gaussian window of 11 x 11 pixels.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size, at least 11 x 11 pixels.</param>
    /// <param name="mask">Which pixels count; of the same size.</param>
    /// <param name="mode">
    /// What is averaged over. Corrected: the similarities of the pictures as they are, at the pixels of the mask. The other way the edge of the mask is
    /// a structure that both pictures have.
    /// </param>
    /// <param name="border">
    /// Which pixels of the picture count at all. By default all, as in newer versions of the library that the benchmark calls; tables made with older
    /// ones take <see cref="SsimBorder.Inside"/>.
    /// </param>
    /// <returns>-1 to 1; not a number where no pixel counts.</returns>
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
