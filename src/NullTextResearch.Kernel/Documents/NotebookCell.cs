using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Documents;

/// <summary>One cell of a notebook file.</summary>
public sealed record NotebookCell
{
    /// <summary>Code, Markdown or raw.</summary>
    public CellKind Kind { get; init; } = CellKind.Code;

    /// <summary>Language of a code cell: csharp, fsharp, html, ..., or the name of another kernel, which must be connected first.</summary>
    public string Language { get; init; } = "csharp";

    /// <summary>The text; lines end with \n, without a trailing newline.</summary>
    public required string Source { get; init; }

    /// <summary>Identifier (nbformat 4.5); null: one is generated on saving.</summary>
    public string? Id { get; init; }

    /// <summary>Metadata as in the file; the entries that name the language are rewritten on saving.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>Outputs in nbformat's format; .dib files have none.</summary>
    public JsonArray Outputs { get; init; } = [];

    /// <summary>Execution number of the run that produced the outputs, or null if the cell has not run.</summary>
    public int? ExecutionCount { get; init; }

    /// <summary>The tags of the cell, such as papermill's "parameters".</summary>
    public IReadOnlyList<string> Tags => Metadata["tags"] is JsonArray tags ? [.. tags.OfType<JsonValue>().Select(t => t.ToString())] : [];

    /// <summary>The code as submitted to this kernel: a cell in another language begins with its directive.</summary>
    public string ToSubmission() => Language == "csharp" ? Source : $"#!{Language}\n{Source}";
}
