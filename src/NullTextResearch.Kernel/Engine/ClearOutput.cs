namespace NullTextResearch.Kernel.Engine;

/// <summary>Removes the outputs so far.</summary>
/// <param name="Wait">True: only when the next output arrives.</param>
public sealed record ClearOutput(bool Wait) : CellOutput;
