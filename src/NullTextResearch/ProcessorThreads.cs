using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.UNet;

namespace NullTextResearch;

/// <summary>
/// Default number of CPU threads for a model's operations: as many as the work of one operation keeps busy. sd-mini's operations are so small that two threads
/// spend more time waiting for each other than they gain; Stable Diffusion's use all processors.
/// </summary>
public static class ProcessorThreads
{
    /// <summary>Environment variable that sets the number of threads.</summary>
    public const string Variable = "NULLTEXT_THREADS";

    /// <summary>Maximum number of threads.</summary>
    public const int Most = 1024;

    // Floating-point operations that a thread needs in an average operation to justify the synchronisation at its end: about a millisecond of work, where
    // waking a thread takes a hundredth of that.
    private const double WorkOfOneThread = 50e6;

    /// <summary>The number set by <see cref="Variable"/>, or null.</summary>
    public static int? Asked =>
        int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out int threads)
        && threads is >= 1 and <= Most
            ? threads
            : null;

    /// <summary>Threads for a model and an image size: the number set by <see cref="Variable"/>, otherwise as many as the work justifies.</summary>
    /// <param name="source">The model; it need not be loaded.</param>
    /// <param name="size">Size of the images; null for the square that the model was trained at.</param>
    public static int For(ModelSource source, PixelSize? size = null)
    {
        PixelSize pixels = size ?? source.ImageSize;
        int factor = source.Vae.Downscale;
        return For(source.UNet, (pixels.Height + factor - 1) / factor, (pixels.Width + factor - 1) / factor);
    }

    /// <summary>Threads for a U-Net and a latent size: the number set by <see cref="Variable"/>, otherwise as many as the work justifies.</summary>
    /// <param name="unet">Architecture.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    public static int For(UNetConfig unet, int height, int width) => Asked ?? Worth(unet, Math.Max(1, height), Math.Max(1, width), Environment.ProcessorCount);

    /// <summary>As many threads as the work of an average operation justifies, up to the number of processors.</summary>
    internal static int Worth(UNetConfig unet, int height, int width, int processors)
    {
        IReadOnlyList<NetworkOperation> network = NetworkWork.OfUNet(unet, height, width);
        return (int)Math.Clamp(network.Average(o => o.Shape.Flops) / WorkOfOneThread, 1, Math.Max(1, processors));
    }
}
