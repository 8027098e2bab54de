using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>Peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean squared error): higher is closer, infinite for equal images.</summary>
/// <remarks>The mean over images is the mean of their dB values, as in the paper's Fig. 4.</remarks>
public static class Psnr
{
    /// <summary>Compares two images, peak 255, over all pixels and channels.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <returns>dB.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference) => FromMse(Mse.Of(image, reference), 1);

    /// <summary>Compares each row of a batch.</summary>
    /// <param name="values">[B, ...], any device and type; borrowed.</param>
    /// <param name="reference">The same shape; borrowed.</param>
    /// <param name="peak">Width of the value range: 1 for [0, 1] (default), 2 for pixels in [-1, 1].</param>
    /// <returns>B values in dB.</returns>
    /// <exception cref="ShapeMismatchException">The shapes differ, or there is no batch axis.</exception>
    public static double[] PerImage(Tensor values, Tensor reference, double peak = 1)
    {
        Planes.RequirePeak(peak);
        return [.. Mse.PerImage(values, reference).Select(mse => FromMse(mse, peak))];
    }

    /// <summary>Formats a value for display: one decimal and the unit.</summary>
    /// <param name="psnr">In dB; infinite for equal images.</param>
    public static string InWords(double psnr) =>
        double.IsPositiveInfinity(psnr) ? "pixel-identical" : string.Create(CultureInfo.InvariantCulture, $"{psnr:0.0} dB");

    /// <summary>Converts a mean squared error.</summary>
    /// <param name="mse">Mean squared error, at least 0.</param>
    /// <param name="peak">Width of the value range, in the unit of the root of the error.</param>
    /// <returns>dB; positive infinity for 0.</returns>
    public static double FromMse(double mse, double peak) => mse == 0 ? double.PositiveInfinity : 10 * Math.Log10(Planes.RequirePeak(peak) * peak / mse);
}
