using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Documents;

/// <summary>One cell of a notebook file.</summary>
public sealed record NotebookCell
{
    /// <summary>Prose or program.</summary>
    public CellKind Kind { get; init; } = CellKind.Code;

    /// <summary>Language of a code cell: csharp, fsharp, html, ..., or another kernel's name, which runs once it is connected.</summary>
    public string Language { get; init; } = "csharp";

    /// <summary>The text, lines ended by \n, without a last line end.</summary>
    public required string Source { get; init; }

    /// <summary>Identifier (nbformat 4.5), or null to have one made on writing.</summary>
    public string? Id { get; init; }

    /// <summary>Metadata as in the file; the language's own entries are rewritten on saving.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>Outputs in nbformat's form. .dib files have none.</summary>
    public JsonArray Outputs { get; init; } = [];

    /// <summary>Number of the run that made the outputs, or null.</summary>
    public int? ExecutionCount { get; init; }

    /// <summary>The tags of the cell, such as papermill's "parameters".</summary>
    public IReadOnlyList<string> Tags => Metadata["tags"] is JsonArray tags ? [.. tags.OfType<JsonValue>().Select(t => t.ToString())] : [];

    /// <summary>The code as one cell of this kernel takes it: other languages begin with their directive.</summary>
    public string ToSubmission() => Language == "csharp" ? Source : $"#!{Language}\n{Source}";
}
