namespace NullTextResearch.Kernel.Engine;

/// <summary>Why the cell did not end well.</summary>
/// <param name="Name">Type of the exception, CompilationError or Interrupted.</param>
/// <param name="Message">Its message.</param>
/// <param name="Traceback">Lines with ANSI colours: what, where in which cell, and why before that.</param>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback) : CellOutput;
