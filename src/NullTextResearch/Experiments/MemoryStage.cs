namespace NullTextResearch.Experiments;

/// <summary>One stage of a job, and what is in memory during it.</summary>
/// <param name="Name">Short name.</param>
/// <param name="WeightBytes">Weights of the loaded networks.</param>
/// <param name="WorkingBytes">Peak memory of tensors up to the end of the stage, including holes in the heap.</param>
public sealed record MemoryStage(string Name, long WeightBytes, long WorkingBytes)
{
    /// <summary>The sum of both.</summary>
    public long Bytes => WeightBytes + WorkingBytes;
}
