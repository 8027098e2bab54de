namespace NullTextResearch.Kernel.Engine;

/// <summary>Console text.</summary>
/// <param name="IsError">True for stderr.</param>
/// <param name="Text">As written, including line endings.</param>
public sealed record StreamOutput(bool IsError, string Text) : CellOutput;
