using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>The distance between two tensors of the same shape, in double precision.</summary>
/// <param name="RelativeL2">|x - r| / |r| over all elements; 0 if both are zero, infinite if only the reference is.</param>
/// <param name="MaxAbsolute">Largest |x - r|.</param>
public sealed record LatentDistance(double RelativeL2, double MaxAbsolute)
{
    /// <summary>Measures a tensor against a reference.</summary>
    /// <param name="values">x, any shape, device and type; borrowed.</param>
    /// <param name="reference">r, the same shape; borrowed.</param>
    /// <returns>Both distances; NaN if either tensor contains NaN.</returns>
    /// <exception cref="ShapeMismatchException">The shapes differ.</exception>
    public static LatentDistance Between(Tensor values, Tensor reference)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(reference);
        Shape.RequireSame(values, reference);
        double[] x = Planes.Numbers(values),
            r = Planes.Numbers(reference);
        double difference = 0,
            norm = 0,
            largest = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double d = Math.Abs(x[i] - r[i]);
            difference += d * d;
            norm += r[i] * r[i];
            largest = Math.Max(largest, d); // propagates NaN
        }

        return new LatentDistance(difference == 0 ? 0 : Math.Sqrt(difference) / Math.Sqrt(norm), largest);
    }
}
