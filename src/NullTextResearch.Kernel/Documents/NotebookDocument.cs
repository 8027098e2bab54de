using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Documents;

/// <summary>A notebook file in memory.</summary>
public sealed record NotebookDocument
{
    /// <summary>The cells in order.</summary>
    public required IReadOnlyList<NotebookCell> Cells { get; init; }

    /// <summary>Metadata of the file; kernelspec and language_info are added on saving if missing.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>Reads .ipynb, .dib, .cs or .csx; the extension decides.</summary>
    /// <exception cref="NotebookFormatException">
    /// The content does not match the extension; the message names file and position. Invalid content throws no other exception.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read: it is missing, it is not readable, or it is a folder, a pipe or a device.</exception>
    public static NotebookDocument Load(string path)
    {
        string text = NotebookFile.Read(path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".ipynb" => Ipynb.Parse(text, path),
            ".dib" => Dib.Parse(text, path),
            ".cs" or ".csx" => new NotebookDocument { Cells = [new NotebookCell { Source = Normalise(text) }] },
            string other => throw new NotebookFormatException($"{path}: '{other}' is not a notebook extension; expected .ipynb, .dib, .cs or .csx."),
        };
    }

    /// <summary>Writes .ipynb (nbformat 4.5) or .dib; the extension decides. The file is replaced atomically.</summary>
    /// <exception cref="NotebookFormatException">The extension is neither.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        string text = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".ipynb" => Ipynb.Write(this),
            ".dib" => Dib.Write(this),
            string other => throw new NotebookFormatException($"{path}: '{other}' cannot be written; use .ipynb or .dib."),
        };
        string partial = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            File.WriteAllText(partial, text);
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>The cells' languages in the form of .NET Interactive's metadata, C# first.</summary>
    internal static JsonArray KernelItems(IReadOnlyList<NotebookCell> cells)
    {
        JsonArray items = [];
        foreach (string language in cells.Where(c => c.Kind == CellKind.Code).Select(c => c.Language).Prepend("csharp").Distinct())
            items.Add(
                (JsonNode)
                    new JsonObject
                    {
                        ["aliases"] = new JsonArray(),
                        ["languageName"] = language,
                        ["name"] = language,
                    }
            );
        return items;
    }

    internal static string Normalise(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n');
}
