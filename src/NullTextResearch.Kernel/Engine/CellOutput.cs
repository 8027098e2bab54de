using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Engine;

/// <summary>One thing a cell puts out. The kernel sends it to Jupyter, a headless run writes it into the notebook file.</summary>
public abstract record CellOutput;

/// <summary>Console text.</summary>
/// <param name="IsError">True for stderr.</param>
/// <param name="Text">As written, line ends included.</param>
public sealed record StreamOutput(bool IsError, string Text) : CellOutput;

/// <summary>A displayed value, or the replacement of an earlier one.</summary>
/// <param name="Data">Mime type to value, always with <c>text/plain</c>.</param>
/// <param name="Metadata">Mime type to settings.</param>
/// <param name="DisplayId">Names the output for later replacement.</param>
/// <param name="IsUpdate">True: every output with this id, of any cell, shows this from now on.</param>
public sealed record DisplayOutput(JsonObject Data, JsonObject Metadata, string DisplayId, bool IsUpdate) : CellOutput;

/// <summary>The value of the cell's last expression.</summary>
/// <param name="ExecutionCount">Number of the cell in this session.</param>
/// <param name="Data">Mime type to value, always with <c>text/plain</c>.</param>
/// <param name="Metadata">Mime type to settings.</param>
public sealed record ResultOutput(int ExecutionCount, JsonObject Data, JsonObject Metadata) : CellOutput;

/// <summary>Why the cell did not end well.</summary>
/// <param name="Name">Type of the exception, CompilationError or Interrupted.</param>
/// <param name="Message">Its message.</param>
/// <param name="Traceback">Lines with ANSI colours: what, where in which cell, and why before that.</param>
public sealed record ErrorOutput(string Name, string Message, IReadOnlyList<string> Traceback) : CellOutput;

/// <summary>Removes the outputs so far.</summary>
/// <param name="Wait">True: when the next output comes.</param>
public sealed record ClearOutput(bool Wait) : CellOutput;
