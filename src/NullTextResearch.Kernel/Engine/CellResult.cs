namespace NullTextResearch.Kernel.Engine;

/// <summary>What became of a cell.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ExecutionCount">Its number in this session; silent cells repeat the last one.</param>
/// <param name="Error">What was sent as error, or null.</param>
/// <param name="Result">What was sent as result, or null.</param>
/// <param name="Elapsed">Wall time, compilation included.</param>
public sealed record CellResult(CellStatus Status, int ExecutionCount, ErrorOutput? Error, ResultOutput? Result, TimeSpan Elapsed);
