using System.Globalization;

namespace NullTextResearch.Experiments;

/// <summary>A job would need more memory than is available; it was not started.</summary>
public sealed class MemoryPlanException : Exception
{
    /// <summary>Creates the exception; its message says how much is needed, for what, and what to lower.</summary>
    /// <param name="plan">The job's plan.</param>
    /// <param name="available">Available bytes.</param>
    public MemoryPlanException(MemoryPlan plan, long available)
        : base(
            $"this needs about {Text(plan.TotalBytes)} of memory (most for {plan.Largest.Name}: weights {Text(plan.Largest.WeightBytes)}, tensors "
                + $"{Text(plan.Largest.WorkingBytes)}) "
                + $"but only {Text(available)} is available; nothing was started. {Advice(plan)} {MemoryPlan.LimitVariable} (bytes) overrides what the system "
                + "reports."
        )
    {
        Plan = plan;
        Available = available;
    }

    /// <summary>The job's plan.</summary>
    public MemoryPlan Plan { get; }

    /// <summary>The bytes that were available.</summary>
    public long Available { get; }

    private static string Advice(MemoryPlan plan) =>
        plan.Largest.WeightBytes > plan.Largest.WorkingBytes
            ? "Use a lower precision (--precision bf16) or --offload, a smaller model, or lower the image size (--size); 'nulltext plan' shows what fits."
            : "Use --checkpointing, --sequential or --vae-tile 32, or lower the image size (--size) or the number of images at a time; 'nulltext plan' "
                + "shows what fits.";

    private static string Text(long bytes) =>
        bytes >= 1L << 30
            ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB")
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0} MB");
}
