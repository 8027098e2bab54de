using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>Mean squared error: 0 for equal images, lower is closer, in squared units of the values compared.</summary>
public static class Mse
{
    /// <summary>Of two images, over all pixels and channels, as if bytes were 0 to 1.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <returns>0 (equal) to 1 (black against white).</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(reference);
        if (image.Width != reference.Width || image.Height != reference.Height)
        {
            throw new ArgumentException($"images to compare need one size, got {image} and {reference}; prepare both the same way");
        }

        // Integers: exact for any image, whatever the order.
        long sum = 0;
        for (int i = 0; i < image.Rgb.Length; i++)
        {
            int difference = image.Rgb[i] - reference.Rgb[i];
            sum += difference * difference;
        }

        return sum / (255.0 * 255.0 * image.Rgb.Length);
    }

    /// <summary>Of each row of a batch, over all its elements, in double precision.</summary>
    /// <param name="values">[B, ...], any device and type; borrowed.</param>
    /// <param name="reference">The same shape; borrowed.</param>
    /// <returns>B numbers.</returns>
    /// <exception cref="ShapeMismatchException">The shapes differ, or there is no batch axis.</exception>
    public static double[] PerImage(Tensor values, Tensor reference)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(reference);
        Shape.RequireSame(values, reference);
        if (values.dim() < 2 || values.numel() == 0)
        {
            throw new ShapeMismatchException(nameof(values), [-1, -1], values.shape);
        }

        double[] a = Planes.Numbers(values),
            b = Planes.Numbers(reference);
        double[] errors = new double[values.shape[0]];
        int size = a.Length / errors.Length;
        for (int i = 0; i < a.Length; i++)
        {
            double difference = a[i] - b[i];
            errors[i / size] += difference * difference / size;
        }

        return errors;
    }
}

/// <summary>Peak signal-to-noise ratio in dB, 10 log10(peak^2 / mean squared error): higher is closer, infinite for equal images.</summary>
/// <remarks>The mean over images is the mean of their dB values, as in the paper's Fig. 4.</remarks>
public static class Psnr
{
    /// <summary>Of two images, peak 255, over all pixels and channels.</summary>
    /// <param name="image">One image.</param>
    /// <param name="reference">Another of the same size.</param>
    /// <returns>dB.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(RgbImage image, RgbImage reference) => FromMse(Mse.Of(image, reference), 1);

    /// <summary>Of each row of a batch.</summary>
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

    /// <summary>As people read it: one decimal and the unit.</summary>
    /// <param name="psnr">In dB; infinite for equal images.</param>
    public static string InWords(double psnr) =>
        double.IsPositiveInfinity(psnr) ? "equal to the pixel" : string.Create(CultureInfo.InvariantCulture, $"{psnr:0.0} dB");

    /// <summary>From a mean squared error.</summary>
    /// <param name="mse">Mean squared error, at least 0.</param>
    /// <param name="peak">Width of the value range, in the unit of the error's root.</param>
    /// <returns>dB; positive infinity for 0.</returns>
    public static double FromMse(double mse, double peak) => mse == 0 ? double.PositiveInfinity : 10 * Math.Log10(Planes.RequirePeak(peak) * peak / mse);
}
