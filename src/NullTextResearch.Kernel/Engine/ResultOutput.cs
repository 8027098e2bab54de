using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Engine;

/// <summary>The value of the cell's last expression.</summary>
/// <param name="ExecutionCount">Number of the cell in this session.</param>
/// <param name="Data">Mime type to value, always with <c>text/plain</c>.</param>
/// <param name="Metadata">Mime type to settings.</param>
public sealed record ResultOutput(int ExecutionCount, JsonObject Data, JsonObject Metadata) : CellOutput;
