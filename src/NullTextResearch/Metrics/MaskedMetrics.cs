using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>What a measure of a part of a picture is averaged over.</summary>
public enum MaskedMode
{
    /// <summary>
    /// As the evaluation of PIE-Bench (PnPInversion, Ju et al. 2023) does it: both pictures are set to black outside of the mask and then compared as
    /// whole pictures. The black pixels count as equal, so the smaller the mask, the better the value. For comparison with published tables.
    /// </summary>
    PieOfficial,

    /// <summary>Averaged over the pixels of the mask only: values of masks of different sizes can be compared.</summary>
    Corrected,
}

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
