using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>Where and how a run trains: nothing here changes what the model becomes, apart from rounding.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Folder of checkpoints, logs and sample grids; a run found there is continued.</summary>
    public required string Folder { get; init; }

    /// <summary>Device of the networks.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Threads that share out the parts of a batch; 1 on a GPU.</summary>
    public int Workers { get; init; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Seconds between checkpoints; the first of a run comes sooner, so that little is lost of a run that dies young.</summary>
    public double CheckpointSeconds { get; init; } = 90;

    /// <summary>Steps between lines of the log.</summary>
    public int LogEvery { get; init; } = 50;

    /// <summary>Minutes between held-out measures and sample grids; infinite means a measure at the end alone, and no grid.</summary>
    public double SampleMinutes { get; init; } = 4;

    /// <summary>Told what happens.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }
}
