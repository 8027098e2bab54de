using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Documents;

/// <summary>Jupyter's file format: reads any nbformat 4 and writes 4.5, in Jupyter's own layout.</summary>
internal static class Ipynb
{
    /// <summary>The kernel name in every C# notebook, whichever program serves it.</summary>
    public const string KernelName = ".net-csharp";

    private static readonly JsonWriterOptions Layout = new()
    {
        Indented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <exception cref="NotebookFormatException">The text is not a valid notebook; the message says where.</exception>
    public static NotebookDocument Parse(string text, string path)
    {
        NotebookReader read = new(path);
        if (read.Parse(text, "") is not JsonObject root)
            throw read.Fault("expected a JSON object.");
        if (root["nbformat"] is not JsonValue format || !format.TryGetValue(out int version) || version != 4)
            throw read.Fault(
                $"nbformat is {(root["nbformat"] is { } other ? StrictJson.Brief(other) : "missing")}; expected 4. Open it once in Jupyter and save it."
            );
        JsonObject metadata = read.Object(root["metadata"], "metadata");
        string language = DefaultLanguage(metadata, read);
        List<NotebookCell> cells = [];
        foreach (JsonNode? item in read.List(root["cells"], "cells"))
        {
            string place = $"cell {cells.Count + 1}";
            if (item is not JsonObject cell)
                throw read.Fault($"{place} is not a JSON object.");
            JsonObject own = read.Object(cell["metadata"], $"{place}: metadata");
            CellKind kind = read.Text(cell["cell_type"], $"{place}: cell_type") switch
            {
                "code" => CellKind.Code,
                "markdown" => CellKind.Markdown,
                "raw" => CellKind.Raw,
                string unknown => throw read.Fault($"{place} has the type {StrictJson.Shown(unknown)}; expected code, markdown or raw."),
                null => throw read.Fault($"{place} has no cell_type."),
            };
            string source = NotebookDocument.Normalise(read.Lines(cell["source"], $"{place}: source"));
            string cellLanguage = kind == CellKind.Code ? CellLanguage(own, read, place) ?? language : "markdown";
            if (kind == CellKind.Code)
                (cellLanguage, source) = WithoutSwitch(cellLanguage, source);
            JsonArray outputs = read.List(cell["outputs"], $"{place}: outputs");
            for (int i = 0; i < outputs.Count; i++)
            {
                if (outputs[i] is not JsonObject)
                    throw read.Fault($"{place}: output {i + 1} is not a JSON object.");
            }

            cells.Add(
                new NotebookCell
                {
                    Kind = kind,
                    Language = cellLanguage,
                    Source = source,
                    Id = read.Text(cell["id"], $"{place}: id"),
                    Metadata = (JsonObject)own.DeepClone(),
                    Outputs = (JsonArray)outputs.DeepClone(),
                    ExecutionCount = read.Number(cell["execution_count"], $"{place}: execution_count"),
                }
            );
        }

        return new NotebookDocument { Cells = cells, Metadata = (JsonObject)metadata.DeepClone() };
    }

    public static string Write(NotebookDocument document)
    {
        JsonObject metadata = (JsonObject)document.Metadata.DeepClone();
        metadata["kernelspec"] ??= new JsonObject
        {
            ["display_name"] = ".NET (C#)",
            ["language"] = "C#",
            ["name"] = KernelName,
        };
        metadata["language_info"] ??= new JsonObject
        {
            ["file_extension"] = ".cs",
            ["mimetype"] = "text/x-csharp",
            ["name"] = "C#",
            ["pygments_lexer"] = "csharp",
            ["version"] = "14.0",
        };
        metadata["polyglot_notebook"] ??= new JsonObject
        {
            ["kernelInfo"] = new JsonObject { ["defaultKernelName"] = "csharp", ["items"] = NotebookDocument.KernelItems(document.Cells) },
        };

        HashSet<string> used = new(StringComparer.Ordinal);
        JsonArray cells = [];
        foreach (NotebookCell cell in document.Cells)
        {
            string id = cell.Id is { Length: > 0 } own && used.Add(own) ? own : NewId(cell, used);
            JsonObject about = (JsonObject)cell.Metadata.DeepClone();
            JsonObject json;
            if (cell.Kind == CellKind.Code)
            {
                // Front ends read both names; without them .NET Interactive refuses to import the notebook.
                about["dotnet_interactive"] = new JsonObject { ["language"] = cell.Language };
                about["polyglot_notebook"] = new JsonObject { ["kernelName"] = cell.Language };
                json = new JsonObject
                {
                    ["cell_type"] = "code",
                    ["execution_count"] = cell.ExecutionCount,
                    ["id"] = id,
                    ["metadata"] = about,
                    ["outputs"] = cell.Outputs.DeepClone(),
                    // Jupyter sends only the source, so the source must name the language.
                    ["source"] = Lines(Engine.CellPlan.Languages.ContainsKey(cell.Language) ? cell.ToSubmission() : cell.Source),
                };
            }
            else
            {
                json = new JsonObject
                {
                    ["cell_type"] = cell.Kind == CellKind.Markdown ? "markdown" : "raw",
                    ["id"] = id,
                    ["metadata"] = about,
                    ["source"] = Lines(cell.Source),
                };
            }

            cells.Add(json);
        }

        JsonObject root = new()
        {
            ["cells"] = cells,
            ["metadata"] = metadata,
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, Layout))
            root.WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>Splits text into lines that keep their line endings, as nbformat stores it.</summary>
    public static JsonArray Lines(string text)
    {
        JsonArray lines = [];
        for (int at = 0; at < text.Length; )
        {
            int end = text.IndexOf('\n', at);
            int next = end < 0 ? text.Length : end + 1;
            lines.Add(text[at..next]);
            at = next;
        }

        return lines;
    }

    // Front ends store the language under two different names.
    private static string? CellLanguage(JsonObject metadata, NotebookReader read, string place)
    {
        string? name =
            read.Text(read.Object(metadata["polyglot_notebook"], $"{place}: metadata.polyglot_notebook")["kernelName"], $"{place}: kernelName")
            ?? read.Text(read.Object(metadata["dotnet_interactive"], $"{place}: metadata.dotnet_interactive")["language"], $"{place}: language");
        return name is null ? null : Engine.CellPlan.Languages.GetValueOrDefault(name, name);
    }

    // A first line such as #!html overrides the language in the metadata.
    private static (string Language, string Source) WithoutSwitch(string language, string source)
    {
        int end = source.IndexOf('\n', StringComparison.Ordinal);
        string first = (end < 0 ? source : source[..end]).Trim();
        return first.StartsWith("#!", StringComparison.Ordinal) && Engine.CellPlan.Languages.TryGetValue(first[2..], out string? named) && named != "csharp"
            ? (named, end < 0 ? "" : source[(end + 1)..])
            : (language, source);
    }

    private static string DefaultLanguage(JsonObject metadata, NotebookReader read)
    {
        JsonObject polyglot = read.Object(metadata["polyglot_notebook"], "metadata.polyglot_notebook");
        string name =
            read.Text(
                read.Object(polyglot["kernelInfo"], "metadata.polyglot_notebook.kernelInfo")["defaultKernelName"] ?? polyglot["defaultKernelName"],
                "defaultKernelName"
            )
            ?? read.Text(read.Object(metadata["kernelspec"], "metadata.kernelspec")["name"], "metadata.kernelspec.name")
            ?? KernelName;
        if (name.StartsWith(".net-", StringComparison.Ordinal))
            name = name[5..];
        return Engine.CellPlan.Languages.GetValueOrDefault(name, name);
    }

    // Derived from the text and position, not random: writing the same notebook twice gives the same file.
    private static string NewId(NotebookCell cell, HashSet<string> used)
    {
        for (int salt = used.Count; ; salt++)
        {
            string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{salt}\n{cell.Source}")))[..8];
            if (used.Add(id))
                return id;
        }
    }
}
