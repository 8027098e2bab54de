using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>One setting for a job, with its cost.</summary>
/// <param name="Precision">Precision of U-Net and text encoder; the autoencoder uses float32.</param>
/// <param name="Memory">Memory options.</param>
/// <param name="Plan">The memory it needs.</param>
/// <param name="Time">The time it takes.</param>
/// <param name="IsSound">Whether the machine's arithmetic has passed the self-test in this precision; a setting that fails it is not recommended.</param>
public sealed record JobSetting(ScalarType Precision, MemoryOptions Memory, MemoryPlan Plan, JobTime Time, bool IsSound)
{
    /// <summary>The maximum time on an idle machine, at the measured rates.</summary>
    public double Seconds => Time.Most;
}
