using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace NullTextResearch.Kernel.Documents;

/// <summary>
/// Polyglot Notebooks' text format: cells separated by lines such as #!csharp, with a #!meta block of JSON at the top. It stores no outputs.
/// </summary>
internal static partial class Dib
{
    // Only these separate cells; every other #! line is a directive inside one.
    private static readonly HashSet<string> Separators = new(StringComparer.OrdinalIgnoreCase)
    {
        "csharp",
        "c#",
        "cs",
        "markdown",
        "md",
        "html",
        "javascript",
        "js",
        "fsharp",
        "f#",
        "fs",
        "pwsh",
        "powershell",
        "sql",
        "kql",
        "http",
        "mermaid",
        "value",
        "raw",
        "meta",
    };

    /// <exception cref="NotebookFormatException">The metadata block is invalid; the message says where.</exception>
    public static NotebookDocument Parse(string text, string path)
    {
        NotebookReader read = new(path);
        JsonObject metadata = [];
        List<NotebookCell> cells = [];
        string language = "csharp";
        List<string> lines = [];
        // The metadata lists the kernels that the notebook connects to.
        HashSet<string> separators = new(Separators, StringComparer.OrdinalIgnoreCase);
        foreach (string line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            Match match = Separator().Match(line);
            if (match.Success && separators.Contains(match.Groups[1].Value))
            {
                Close();
                language = match.Groups[1].Value.ToLowerInvariant();
            }
            else
            {
                lines.Add(line);
            }
        }

        Close();
        return new NotebookDocument { Cells = cells, Metadata = metadata };

        void Close()
        {
            string source = string.Join('\n', lines).Trim('\n');
            lines.Clear();
            if (language == "meta")
            {
                const string Place = "the block after #!meta";
                if (read.Parse(source, Place) is not JsonObject meta)
                    throw read.Fault($"{Place} is not a JSON object.");
                metadata["polyglot_notebook"] = meta;
                JsonObject info = read.Object(meta["kernelInfo"], $"{Place}: kernelInfo");
                language = read.Text(info["defaultKernelName"], $"{Place}: defaultKernelName") ?? language;
                foreach (JsonNode? item in read.List(info["items"], $"{Place}: kernelInfo.items"))
                {
                    if (read.Text(read.Object(item, $"{Place}: kernelInfo.items")["name"], $"{Place}: name") is { } name)
                        separators.Add(name);
                }

                return;
            }

            if (string.IsNullOrWhiteSpace(source))
                return;
            string known = Engine.CellPlan.Languages.GetValueOrDefault(language, language);
            CellKind kind = known switch
            {
                "markdown" => CellKind.Markdown,
                "raw" => CellKind.Raw,
                _ => CellKind.Code,
            };
            cells.Add(
                new NotebookCell
                {
                    Kind = kind,
                    Language = known,
                    Source = source,
                }
            );
        }
    }

    public static string Write(NotebookDocument document)
    {
        JsonNode meta =
            document.Metadata["polyglot_notebook"]?.DeepClone()
            ?? new JsonObject
            {
                ["kernelInfo"] = new JsonObject { ["defaultKernelName"] = "csharp", ["items"] = NotebookDocument.KernelItems(document.Cells) },
            };
        StringBuilder text = new();
        text.Append("#!meta\n\n").Append(meta.ToJsonString()).Append("\n\n");
        foreach (NotebookCell cell in document.Cells)
        {
            string separator = cell.Kind switch
            {
                CellKind.Markdown => "markdown",
                CellKind.Raw => "raw",
                _ => cell.Language,
            };
            text.Append("#!").Append(separator).Append("\n\n").Append(cell.Source.Trim('\n')).Append("\n\n");
        }

        return text.ToString();
    }

    [GeneratedRegex(@"^#!([\w#]+)\s*$")]
    private static partial Regex Separator();
}
