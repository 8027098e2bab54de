namespace NullTextResearch.Kernel.Engine;

/// <summary>Removes the outputs so far.</summary>
/// <param name="Wait">True: when the next output comes.</param>
public sealed record ClearOutput(bool Wait) : CellOutput;
