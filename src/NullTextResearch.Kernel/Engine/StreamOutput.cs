namespace NullTextResearch.Kernel.Engine;

/// <summary>Console text.</summary>
/// <param name="IsError">True for stderr.</param>
/// <param name="Text">As written, line ends included.</param>
public sealed record StreamOutput(bool IsError, string Text) : CellOutput;
