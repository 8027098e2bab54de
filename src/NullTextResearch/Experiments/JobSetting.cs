using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>One way to do a job, with what it costs.</summary>
/// <param name="Precision">Of U-Net and text encoder; the autoencoder has float32.</param>
/// <param name="Memory">What saves memory.</param>
/// <param name="Plan">The memory it needs.</param>
/// <param name="Time">The time it takes.</param>
/// <param name="IsSound">Whether the machine's arithmetic has passed the self-test in this precision; no other setting is recommended.</param>
public sealed record JobSetting(ScalarType Precision, MemoryOptions Memory, MemoryPlan Plan, JobTime Time, bool IsSound)
{
    /// <summary>The time it takes at most on a quiet machine, at the rates measured.</summary>
    public double Seconds => Time.Most;
}
