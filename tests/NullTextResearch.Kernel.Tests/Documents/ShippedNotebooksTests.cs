using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Running;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Documents;

/// <summary>The notebooks of this checkout, as they are committed.</summary>
public sealed class ShippedNotebooksTests
{
    private const long LargestFile = 5_000_000;
    private const long LargestSum = 18_000_000;

    public static TheoryData<string> Names { get; } =
    [.. Directory.GetFiles(SourceTree.At("notebooks"), "*.ipynb").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Folder_HoldsAllChapters()
    {
        Assert.Equal(Enumerable.Range(0, 15).Select(i => i.ToString("00")), Names.Select(row => row.Data[..2]));
        Assert.InRange(Directory.GetFiles(SourceTree.At("notebooks"), "*.ipynb").Sum(f => new FileInfo(f).Length), 1, LargestSum);
        string index = File.ReadAllText(SourceTree.At("notebooks", "README.md"));
        Assert.All(Names, row => Assert.Contains(row.Data, index));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Notebook_AsCommitted_HasRunAndSaysWhatFrontEndsNeed(string name)
    {
        string path = SourceTree.At("notebooks", name);
        Assert.InRange(new FileInfo(path).Length, 1, LargestFile);
        JsonObject root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.Equal((4, 5), (root["nbformat"]!.GetValue<int>(), root["nbformat_minor"]!.GetValue<int>()));
        Assert.Equal(".net-csharp", root["metadata"]!["kernelspec"]!["name"]!.ToString());
        Assert.Equal("C#", root["metadata"]!["language_info"]!["name"]!.ToString());
        JsonObject[] cells = [.. root["cells"]!.AsArray().Select(c => c!.AsObject())];
        string[] ids = [.. cells.Select(c => c["id"]!.ToString())];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[a-zA-Z0-9_-]{1,64}$", id));
        Assert.Equal("markdown", cells[0]["cell_type"]!.ToString());
        Assert.Contains("What you will learn", cells[0]["source"]!.ToJsonString());

        JsonObject[] code = [.. cells.Where(c => c["cell_type"]!.ToString() == "code")];
        Assert.Equal(Enumerable.Range(1, code.Length), code.Select(c => c["execution_count"]!.GetValue<int>()));
        // Another language names itself in the cell too: most front ends send the cell alone.
        Assert.All(
            code,
            c => Assert.Equal(c["source"]![0]!.ToString() == "#!fsharp\n" ? "fsharp" : "csharp", c["metadata"]!["polyglot_notebook"]!["kernelName"]!.ToString())
        );
        // As wide as the page of classic Notebook.
        Assert.All(code.SelectMany(c => c["source"]!.AsArray()), line => Assert.InRange(line!.ToString().TrimEnd('\n').Length, 0, 112));
        JsonObject parameters = Assert.Single(code, c => c["metadata"]!["tags"]?.AsArray().Any(t => t!.ToString() == NotebookParameters.Tag) == true);
        Assert.StartsWith("// parameters", parameters["source"]![0]!.ToString());
        JsonObject[] outputs = [.. code.SelectMany(c => c["outputs"]!.AsArray().Select(o => o!.AsObject()))];
        Assert.DoesNotContain(outputs, o => o["output_type"]!.ToString() == "error");
        // Only plotly.js is that long, and one copy serves all charts of a notebook.
        Assert.InRange(outputs.Count(o => o["data"]?["text/html"]?.ToJsonString().Length > 1_000_000), 0, 1);
        // A run that showed no picture is no run: GitHub and untrusted notebooks have only these.
        Assert.Contains(outputs, o => o["data"]?["image/png"] is not null);
    }
}
