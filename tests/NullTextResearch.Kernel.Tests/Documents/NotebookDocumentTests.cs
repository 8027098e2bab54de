using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Documents;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Documents;

public sealed class NotebookDocumentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-doc-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static NotebookDocument Sample =>
        new()
        {
            Cells =
            [
                new NotebookCell
                {
                    Kind = CellKind.Markdown,
                    Language = "markdown",
                    Source = "# Über\n\n$z_0 < 1$ & more",
                },
                new NotebookCell
                {
                    Source = "var x = \"a\\n\";\n\nx",
                    Metadata = new JsonObject { ["tags"] = new JsonArray("parameters") },
                },
                new NotebookCell { Language = "html", Source = "<b>hi</b>" },
                new NotebookCell { Language = "javascript", Source = "alert(1);" },
            ],
        };

    [Theory]
    [InlineData("a.ipynb")]
    [InlineData("a.dib")]
    public void SaveAndLoad_AnyFormat_KeepsCells(string name)
    {
        string path = Path.Combine(_folder, name);
        Sample.Save(path);
        NotebookDocument got = NotebookDocument.Load(path);
        Assert.Equal(Sample.Cells.Select(c => (c.Kind, c.Language, c.Source)), got.Cells.Select(c => (c.Kind, c.Language, c.Source)));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void SaveAndLoad_IpynbTwice_IsTheSameFile()
    {
        string first = Path.Combine(_folder, "a.ipynb"),
            second = Path.Combine(_folder, "b.ipynb");
        Sample.Save(first);
        NotebookDocument.Load(first).Save(second);
        Assert.Equal(File.ReadAllText(first), File.ReadAllText(second));
    }

    [Fact]
    public void Save_Ipynb_IsNbformat45WithTheMetadataFrontEndsRead()
    {
        string path = Path.Combine(_folder, "a.ipynb");
        Sample.Save(path);
        JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal((4, 5), (root["nbformat"]!.GetValue<int>(), root["nbformat_minor"]!.GetValue<int>()));
        Assert.Equal(".net-csharp", root["metadata"]!["kernelspec"]!["name"]!.GetValue<string>());
        JsonNode cell = root["cells"]![2]!;
        Assert.Equal("html", cell["metadata"]!["polyglot_notebook"]!["kernelName"]!.GetValue<string>());
        Assert.Equal("#!html\n", cell["source"]![0]!.GetValue<string>());
        Assert.Equal("html", cell["metadata"]!["dotnet_interactive"]!["language"]!.GetValue<string>());
        string[] ids = [.. root["cells"]!.AsArray().Select(c => c!["id"]!.GetValue<string>())];
        Assert.Equal(4, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[a-zA-Z0-9-_]{1,64}$", id));
        Assert.StartsWith("{\n \"cells\": [\n  {\n", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Contains("Über", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_IpynbWithForeignMetadataAndOutputs_KeepsThem()
    {
        string path = Path.Combine(_folder, "a.ipynb");
        File.WriteAllText(
            path,
            """
            {"cells":[{"cell_type":"code","execution_count":3,"id":"abc","metadata":{"mine":{"x":1}},"outputs":[{"output_type":"stream","name":"stdout","text":["a\n"]}],"source":"1\r\n+1"}],
             "metadata":{"kernelspec":{"name":"python3","display_name":"P","language":"python"},"other":[1]},"nbformat":4,"nbformat_minor":2}
            """
        );
        NotebookDocument got = NotebookDocument.Load(path);
        got.Save(path);
        NotebookCell cell = Assert.Single(NotebookDocument.Load(path).Cells);
        Assert.Equal(("abc", 3, "1\n+1"), (cell.Id, cell.ExecutionCount, cell.Source));
        Assert.Equal(1, cell.Metadata["mine"]!["x"]!.GetValue<int>());
        Assert.Equal("stream", cell.Outputs[0]!["output_type"]!.GetValue<string>());
        JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("python3", root["metadata"]!["kernelspec"]!["name"]!.GetValue<string>());
        Assert.Equal(1, root["metadata"]!["other"]![0]!.GetValue<int>());
    }

    [Fact]
    public void Load_Dib_SeparatesCellsAndKeepsDirectivesInside()
    {
        string path = Path.Combine(_folder, "a.dib");
        File.WriteAllText(
            path,
            "#!meta\r\n\r\n{\"kernelInfo\":{\"defaultKernelName\":\"csharp\"}}\r\n\r\n#!markdown\r\n\r\n# T\r\n\r\n#!csharp\r\n\r\n#!time\r\nvar x = "
                + "1;\r\n\r\n#!fsharp\r\n\r\nlet y = 2\r\n"
        );
        NotebookDocument got = NotebookDocument.Load(path);
        Assert.Equal(
            [(CellKind.Markdown, "markdown", "# T"), (CellKind.Code, "csharp", "#!time\nvar x = 1;"), (CellKind.Code, "fsharp", "let y = 2")],
            got.Cells.Select(c => (c.Kind, c.Language, c.Source))
        );
    }

    [Theory]
    [InlineData("a.ipynb", "{}")]
    [InlineData("a.ipynb", "nonsense")]
    [InlineData("a.ipynb", "{\"nbformat\":3,\"worksheets\":[]}")]
    [InlineData("a.ipynb", "{\"nbformat\":4,\"cells\":[{}]}")]
    [InlineData("a.dib", "#!meta\nnonsense\n#!csharp\n1")]
    [InlineData("a.txt", "1")]
    public void Load_Damaged_NamesTheFile(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        Assert.Contains(path, Assert.Throws<NotebookFormatException>(() => NotebookDocument.Load(path)).Message, StringComparison.Ordinal);
    }
}
