using NullTextResearch.Images;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>How much latents look like a sample of a standard normal distribution. Over all elements unless said otherwise.</summary>
/// <param name="LogLikelihood">Total natural log-density under N(0, I), as the paper's Fig. 9a: -(n/2) ln 2 pi - |z|^2 / 2.</param>
/// <param name="GaussianLogLikelihood">Its expectation for a true sample: -(n/2) (ln 2 pi + 1).</param>
/// <param name="MeanSquare">Mean of z^2; 1 for a true sample.</param>
/// <param name="ShellDeviation">(|z|^2 - n) / sqrt(2 n): standard deviations from the shell where true samples lie.</param>
/// <param name="Kurtosis">Fourth standardised moment; 3 for a true sample.</param>
/// <param name="NeighbourCorrelation">Correlation of horizontally and vertically adjacent elements; 0 for a true sample.</param>
/// <param name="ChannelMeans">Mean of each channel.</param>
/// <param name="ChannelDeviations">Standard deviation of each channel.</param>
public sealed record LatentStatistics(
    double LogLikelihood, double GaussianLogLikelihood, double MeanSquare, double ShellDeviation, double Kurtosis, double NeighbourCorrelation,
    IReadOnlyList<double> ChannelMeans, IReadOnlyList<double> ChannelDeviations)
{
    /// <summary>Measures the latents of one image.</summary>
    /// <param name="latents">[1, C, H, W] or [C, H, W]; borrowed.</param>
    public static LatentStatistics Of(Tensor latents)
    {
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor z = latents.reshape(latents.shape[^3], latents.shape[^2], latents.shape[^1]).to(ScalarType.Float64).cpu();
        double n = z.numel();
        double energy = z.square().sum().item<double>();
        Tensor centred = z - z.mean();
        double variance = centred.square().mean().item<double>();
        Tensor Product(int dim) => centred.narrow(dim, 0, z.shape[dim] - 1) * centred.narrow(dim, 1, z.shape[dim] - 1);
        double[] products = [.. Product(1).data<double>().ToArray(), .. Product(2).data<double>().ToArray()];
        return new LatentStatistics(
            -n / 2 * Math.Log(2 * Math.PI) - energy / 2, -n / 2 * (Math.Log(2 * Math.PI) + 1), energy / n, (energy - n) / Math.Sqrt(2 * n),
            centred.pow(4).mean().item<double>() / (variance * variance), products.Average() / variance,
            z.mean([1, 2]).data<double>().ToArray(), z.std([1, 2]).data<double>().ToArray());
    }
}

/// <summary>Distances between images that need no trained weights.</summary>
public static class ImageDistance
{
    /// <summary>Peak signal-to-noise ratio: 10 log10(255^2 / mean squared error) over all pixels and channels.</summary>
    /// <param name="a">One image.</param>
    /// <param name="b">Another of the same size.</param>
    /// <returns>Decibel; infinite for equal images.</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Psnr(RgbImage a, RgbImage b)
    {
        RequireSameSize(a, b);
        double sum = 0;
        for (int i = 0; i < a.Rgb.Length; i++)
        {
            double d = a.Rgb[i] - b.Rgb[i];
            sum += d * d;
        }
        return 10 * Math.Log10(255.0 * 255.0 * a.Rgb.Length / sum);
    }

    /// <summary>
    /// Root mean square difference at full size and after halving the images by box averages as often as their shorter side
    /// stays at least 8 pixels, averaged over these scales. Coarse scales weigh as much as fine ones, so a shifted edge costs
    /// less than a changed object.
    /// </summary>
    /// <param name="a">One image.</param>
    /// <param name="b">Another of the same size.</param>
    /// <returns>0 (equal) to 1 (black against white).</returns>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double MultiScale(RgbImage a, RgbImage b)
    {
        RequireSameSize(a, b);
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        // Range -1..1: half of it is the share of the full range.
        Tensor difference = (ImageTensor.ToPixels(a) - ImageTensor.ToPixels(b)) / 2;
        List<double> scales = [];
        while (true)
        {
            scales.Add(Math.Sqrt(difference.square().mean().item<float>()));
            if (Math.Min(difference.shape[2], difference.shape[3]) < 16) break;
            difference = nn.functional.avg_pool2d(difference, 2);
        }
        return scales.Average();
    }

    private static void RequireSameSize(RgbImage a, RgbImage b)
    {
        if (a.Width != b.Width || a.Height != b.Height) throw new ArgumentException($"Images of one size are compared, got {a} and {b}.");
    }
}
