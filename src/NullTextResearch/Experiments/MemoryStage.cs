namespace NullTextResearch.Experiments;

/// <summary>One stage of a job, and what is in memory during it.</summary>
/// <param name="Name">In a few words.</param>
/// <param name="WeightBytes">Weights of the networks that are there.</param>
/// <param name="WorkingBytes">The most that tensors take until the stage's end, holes in the heap included.</param>
public sealed record MemoryStage(string Name, long WeightBytes, long WorkingBytes)
{
    /// <summary>Both together.</summary>
    public long Bytes => WeightBytes + WorkingBytes;
}
