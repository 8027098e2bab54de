using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.UNet;
using NullTextResearch.Vae;

namespace NullTextResearch.Experiments;

/// <summary>What is to be done, as far as memory is concerned.</summary>
public sealed record MemoryDemand
{
    /// <summary>Size of the images; one number is a square.</summary>
    public required PixelSize ImageSize { get; init; }

    /// <summary>Rows that go through the U-Net in one call: images, times two with guidance, times source and targets when editing.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows whose embedding is optimised in one call; their activations are kept for the backward pass. 0 without optimisation.</summary>
    public int GradientRows { get; init; }

    /// <summary>Images that go through the autoencoder in one call.</summary>
    public int Images { get; init; } = 1;

    /// <summary>Whether attention maps are made explicitly (edits, heat maps) at all layers.</summary>
    public bool ExplicitAttention { get; init; }

    /// <summary>Bytes of one number: 4 for float32, 8 for float64.</summary>
    public int BytesPerNumber { get; init; } = 4;
}

/// <summary>
/// A rough estimate of the memory that a job will need at most, made from the model's configs before anything is loaded,
/// so that a job that cannot end well is not begun.
/// </summary>
/// <param name="WeightBytes">All networks' weights.</param>
/// <param name="NetworkBytes">Largest activations of the U-Net.</param>
/// <param name="AutoencoderBytes">Largest activations of the autoencoder; never at the same time as those of the U-Net.</param>
public sealed record MemoryPlan(long WeightBytes, long NetworkBytes, long AutoencoderBytes)
{
    /// <summary>Environment variable with the bytes that may be used, for machines that are shared; it takes the place of what the system reports.</summary>
    public const string LimitVariable = "NULLTEXT_MEMORY_LIMIT";

    // .NET and libtorch before the first tensor; measured 240 MB.
    private const long Runtime = 256L << 20;

    // Text tokens of this model family.
    private const int Tokens = 77;

    /// <summary>The peak, in bytes.</summary>
    public long TotalBytes => Runtime + WeightBytes + Math.Max(NetworkBytes, AutoencoderBytes);

    /// <summary>Estimates a job on a model, from configs and file headers only.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="demand">The job.</param>
    public static MemoryPlan For(ModelSource source, MemoryDemand demand) => For(source.UNet, source.Vae, source.ParameterCount, demand);

    /// <summary>Estimates a job.</summary>
    /// <param name="unet">The U-Net.</param>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="weights">Numbers in all networks together.</param>
    /// <param name="demand">The job.</param>
    /// <exception cref="ArgumentException">A size is not positive.</exception>
    public static MemoryPlan For(UNetConfig unet, VaeConfig vae, long weights, MemoryDemand demand)
    {
        if (demand.ImageSize.Width < 1 || demand.ImageSize.Height < 1 || demand.Rows < 1 || demand.Images < 1 || demand.GradientRows < 0 || demand.BytesPerNumber < 1)
            throw new ArgumentException($"A job has at least one image, row and pixel, got {demand}.", nameof(demand));
        double wide = Math.Ceiling((double)demand.ImageSize.Width / vae.Downscale), high = Math.Ceiling((double)demand.ImageSize.Height / vae.Downscale);
        double running = 0, kept = 0;
        for (int level = 0; level < unet.BlockOutChannels.Count; level++)
        {
            double pixels = Math.Ceiling(wide / (1 << level)) * Math.Ceiling(high / (1 << level));
            double features = unet.BlockOutChannels[level] * pixels;
            double maps = unet.DownHasAttention[level] ? unet.Heads[level] * pixels * (pixels + Tokens) : 0;
            double residual = 8 * features, transformer = unet.DownHasAttention[level] ? 24 * features : 0;
            // Fused attention works in tiles and makes no maps.
            double layerMaps = demand.ExplicitAttention ? 2 * maps : 0;
            running = Math.Max(running, residual + transformer + layerMaps);
            kept += ((2 * unet.LayersPerBlock) + 1) * (residual + transformer + layerMaps);
        }

        double network = (demand.Rows * running) + (demand.GradientRows * kept);
        double image = demand.ImageSize.Area;
        int channels = vae.BlockOutChannels[Math.Min(1, vae.BlockOutChannels.Count - 1)];
        // Measured at 512 pixels: a dozen feature maps at once, because freed blocks are kept for the next convolution.
        double autoencoder = demand.Images * 14 * channels * image;
        return new MemoryPlan(
            weights * demand.BytesPerNumber,
            ToBytes(network),
            ToBytes(autoencoder));

        // A size of a hundred thousand pixels is a request like any other: saturate instead of overflowing.
        long ToBytes(double count) => (long)Math.Min(count * demand.BytesPerNumber, long.MaxValue / 4.0);
    }

    /// <summary>Bytes that this process may take: <see cref="LimitVariable"/> if set, else the smaller of what the system has free and what a container allows.</summary>
    /// <exception cref="ArgumentException">The variable is set but holds no number of bytes.</exception>
    public static long Available()
    {
        string? limit = Environment.GetEnvironmentVariable(LimitVariable);
        if (!string.IsNullOrWhiteSpace(limit))
        {
            return long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
                ? bytes
                : throw new ArgumentException($"{LimitVariable} is '{limit}'; it must be a number of bytes, such as 8000000000, or unset.");
        }

        long container = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return ProcessMemory.Read("/proc/meminfo", "MemAvailable:") is { } available ? Math.Min(container, available) : container;
    }

    /// <summary>Refuses a job that does not fit.</summary>
    /// <param name="available">Bytes; null asks <see cref="Available"/>.</param>
    /// <exception cref="MemoryPlanException">It needs more than there is.</exception>
    public void RequireFits(long? available = null)
    {
        long there = available ?? Available();
        if (TotalBytes > there) throw new MemoryPlanException(this, there);
    }
}

/// <summary>A job would need more memory than there is; it was not started.</summary>
public sealed class MemoryPlanException : Exception
{
    /// <summary>Says how much, for what, and what to lower.</summary>
    /// <param name="plan">The job's plan.</param>
    /// <param name="available">Bytes there are.</param>
    public MemoryPlanException(MemoryPlan plan, long available)
        : base($"this needs about {Text(plan.TotalBytes)} of memory (weights {Text(plan.WeightBytes)}, U-Net {Text(plan.NetworkBytes)}, autoencoder {Text(plan.AutoencoderBytes)}) "
            + $"and {Text(available)} are available; nothing was started. {Advice(plan)} {MemoryPlan.LimitVariable} (bytes) overrides what the system reports.")
    {
        Plan = plan;
        Available = available;
    }

    /// <summary>The job's plan.</summary>
    public MemoryPlan Plan { get; }

    /// <summary>Bytes there were.</summary>
    public long Available { get; }

    private static string Advice(MemoryPlan plan) => plan.WeightBytes > Math.Max(plan.NetworkBytes, plan.AutoencoderBytes)
        ? "Use a smaller model, lower the image size (--size), or close other programs."
        : "Lower the image size (--size) or the number of images at a time, or close other programs.";

    private static string Text(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0} MB");
}
