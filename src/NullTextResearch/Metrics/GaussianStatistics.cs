using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>How closely the latents z_T of one image resemble a sample of N(0, I), the prior that sampling starts from.</summary>
/// <remarks>
/// The log-likelihood is the paper's Fig. 9a: total over all n dimensions, in nats. It depends on |z| alone and is highest at z = 0, so a value *above* that of
/// a true sample is as atypical as one below: read it together with <see cref="ShellDeviation"/> and the shape statistics.
/// </remarks>
/// <param name="Dimensions">n = C x H x W.</param>
/// <param name="LogLikelihood">-(n/2) ln 2 pi - |z|^2 / 2, in nats.</param>
/// <param name="MeanSquare">Mean of z^2; 1 for a true sample.</param>
/// <param name="ShellDeviation">(|z|^2 - n) / sqrt(2 n): distance from the shell on which true samples lie, in standard deviations.</param>
/// <param name="ExcessKurtosis">Fourth standardised moment minus 3, over all elements; 0 for a true sample.</param>
/// <param name="HorizontalCorrelation">
/// Correlation of elements one column apart within a channel, after subtracting the channel means; 0 for a true sample.
/// </param>
/// <param name="VerticalCorrelation">The same for elements one row apart.</param>
/// <param name="ChannelMeans">Mean of each channel; 0 for a true sample.</param>
/// <param name="ChannelDeviations">Standard deviation of each channel (population); 1 for a true sample.</param>
public sealed record GaussianStatistics(
    int Dimensions,
    double LogLikelihood,
    double MeanSquare,
    double ShellDeviation,
    double ExcessKurtosis,
    double HorizontalCorrelation,
    double VerticalCorrelation,
    IReadOnlyList<double> ChannelMeans,
    IReadOnlyList<double> ChannelDeviations
)
{
    /// <summary>Expected log-likelihood of a true sample: -(n/2)(ln 2 pi + 1), in nats.</summary>
    public double ExpectedLogLikelihood => -Dimensions / 2.0 * (Math.Log(2 * Math.PI) + 1);

    /// <summary>Standard deviation of a true sample's log-likelihood: sqrt(n / 2), in nats.</summary>
    public double LogLikelihoodDeviation => Math.Sqrt(Dimensions / 2.0);

    /// <summary>Mean of the two neighbour correlations.</summary>
    public double NeighbourCorrelation => (HorizontalCorrelation + VerticalCorrelation) / 2;

    /// <summary>Measures each image of a batch.</summary>
    /// <param name="latents">z_T [B, C, H, W], any device and type; height and width at least 2; borrowed.</param>
    /// <returns>One result per image.</returns>
    /// <exception cref="ShapeMismatchException">The tensor does not have four axes.</exception>
    /// <exception cref="ArgumentException">Height or width is below 2.</exception>
    public static IReadOnlyList<GaussianStatistics> Of(Tensor latents)
    {
        Planes[] images = Planes.Of(latents);
        return images.FirstOrDefault(i => i.Width < 2 || i.Height < 2) is { } small
            ? throw new ArgumentException($"neighbour correlations need latents of at least 2 x 2, got {small.Width} x {small.Height}", nameof(latents))
            : [.. images.Select(Measure)];
    }

    private static GaussianStatistics Measure(Planes z)
    {
        int plane = z.Width * z.Height;
        int n = plane * z.Values.Length;
        double energy = z.Values.Sum(c => c.Sum(v => v * v));
        double mean = z.Values.Sum(c => c.Sum()) / n;
        double second = 0,
            fourth = 0;
        foreach (double value in z.Values.SelectMany(c => c))
        {
            double square = (value - mean) * (value - mean);
            second += square;
            fourth += square * square;
        }

        double[] means = [.. z.Values.Select(c => c.Average())];
        double[] deviations = [.. z.Values.Select((c, i) => Math.Sqrt(c.Average(v => (v - means[i]) * (v - means[i]))))];
        return new GaussianStatistics(
            n,
            (-n / 2.0 * Math.Log(2 * Math.PI)) - (energy / 2),
            energy / n,
            (energy - n) / Math.Sqrt(2.0 * n),
            (fourth / n / (second / n * (second / n))) - 3,
            Correlation(z, means, 1, 0),
            Correlation(z, means, 0, 1),
            means,
            deviations
        );
    }

    /// <summary>Pearson correlation of all pairs one step apart.</summary>
    private static double Correlation(Planes z, double[] means, int stepX, int stepY)
    {
        double product = 0,
            first = 0,
            second = 0;
        for (int c = 0; c < means.Length; c++)
        {
            double[] values = z.Values[c];
            for (int y = 0; y + stepY < z.Height; y++)
            {
                for (int x = 0; x + stepX < z.Width; x++)
                {
                    double a = values[(y * z.Width) + x] - means[c];
                    double b = values[((y + stepY) * z.Width) + x + stepX] - means[c];
                    product += a * b;
                    first += a * a;
                    second += b * b;
                }
            }
        }

        return product / Math.Sqrt(first * second);
    }
}
