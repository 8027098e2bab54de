namespace NullTextResearch.Kernel.Engine;

/// <summary>Outcome of a cell.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ExecutionCount">Its number in this session; silent cells repeat the last one.</param>
/// <param name="Error">The error that was sent, or null if there was none.</param>
/// <param name="Result">The result that was sent, or null if there was none.</param>
/// <param name="Elapsed">Wall time, compilation included.</param>
public sealed record CellResult(CellStatus Status, int ExecutionCount, ErrorOutput? Error, ResultOutput? Result, TimeSpan Elapsed);
