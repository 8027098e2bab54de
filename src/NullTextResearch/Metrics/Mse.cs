using NullTextResearch.Images;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>Mean squared error: 0 for equal images, lower is closer, in squared units of the values compared.</summary>
public static class Mse
{
    /// <summary>Compares two images over all pixels and channels, with bytes scaled to [0, 1].</summary>
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
            throw new ArgumentException($"images to compare need the same size, got {image} and {reference}; prepare both the same way");
        }

        // Integer sums are exact for any image, in any order.
        long sum = 0;
        for (int i = 0; i < image.Rgb.Length; i++)
        {
            int difference = image.Rgb[i] - reference.Rgb[i];
            sum += difference * difference;
        }

        return sum / (255.0 * 255.0 * image.Rgb.Length);
    }

    /// <summary>Compares each row of a batch, over all its elements, in double precision.</summary>
    /// <param name="values">[B, ...], any device and type; borrowed.</param>
    /// <param name="reference">The same shape; borrowed.</param>
    /// <returns>B errors.</returns>
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
