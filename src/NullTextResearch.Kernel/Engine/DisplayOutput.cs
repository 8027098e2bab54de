using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A displayed value, or the replacement of an earlier one.</summary>
/// <param name="Data">Mime type to value, always with <c>text/plain</c>.</param>
/// <param name="Metadata">Mime type to settings.</param>
/// <param name="DisplayId">Identifies the output for later replacement.</param>
/// <param name="IsUpdate">True: every output with this id, of any cell, shows this from now on.</param>
public sealed record DisplayOutput(JsonObject Data, JsonObject Metadata, string DisplayId, bool IsUpdate) : CellOutput;
