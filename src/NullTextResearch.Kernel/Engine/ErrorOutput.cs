namespace NullTextResearch.Kernel.Engine;

/// <summary>The error that ended a cell.</summary>
/// <param name="Name">Type of the exception, CompilationError or Interrupted.</param>
/// <param name="Message">Its message.</param>
/// <param name="Traceback">Lines with ANSI colours: the error, where in which cell it occurred, and what caused it.</param>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback) : CellOutput;
