using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Where and how a run trains. Apart from rounding, nothing here changes the resulting model.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder of checkpoints, logs and sample grids; an existing run there is resumed.</summary>
    public required string Folder { get; init; }

    /// <summary>Device of the networks.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Number of threads among which the parts of a batch are divided; use 1 on a GPU.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Seconds between checkpoints. The first one is written earlier, so that little is lost if a run fails early.</summary>
    public double CheckpointSeconds { get; init; } = 90;

    /// <summary>Steps between lines of the log.</summary>
    public int LogEvery { get; init; } = 50;

    /// <summary>Minutes between held-out measures and sample grids; infinite: measured only at the end, without a grid.</summary>
    public double SampleMinutes { get; init; } = 4;

    /// <summary>Receives progress reports; null: no progress is reported.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }
}
