using System.Diagnostics;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Documents;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Running;

/// <summary>The built program's <c>notebook run</c>.</summary>
public sealed class NotebookRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-run-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Run_Notebook_WritesOutputsAndTheSameFileAgain()
    {
        string file = Write(
            "a.ipynb",
            new NotebookCell
            {
                Source = "int n = 2;",
                Metadata = new JsonObject { ["tags"] = new JsonArray("parameters") },
            },
            new NotebookCell { Source = "var shown = display(\"old\");\nConsole.Write(\"one \");\nConsole.WriteLine(n);" },
            new NotebookCell { Source = "shown.Update(\"new\");\nn * 21" }
        );

        Assert.Equal(0, Run(out _, "run", "a.ipynb", "--html"));
        string first = File.ReadAllText(file);
        Assert.Equal(0, Run(out _, "run", "a.ipynb"));

        Assert.Equal(first, File.ReadAllText(file));
        NotebookDocument got = NotebookDocument.Load(file);
        Assert.Equal([1, 2, 3], got.Cells.Select(c => c.ExecutionCount!.Value));
        Assert.Equal("new", Text(got.Cells[1].Outputs[0]!["data"]!["text/plain"]));
        Assert.Equal("one 2\n", Text(got.Cells[1].Outputs[1]!["text"]));
        Assert.Equal("42", Text(got.Cells[2].Outputs[0]!["data"]!["text/plain"]));
        Assert.Contains("42", File.ReadAllText(Path.Combine(_folder, "a.html")));

        Assert.Equal(0, Run(out _, "run", "a.ipynb", "-p", "n=3", "--out", "made"));
        Assert.Equal(first, File.ReadAllText(file));
        Assert.Equal("63", Text(NotebookDocument.Load(Path.Combine(_folder, "made", "a.ipynb")).Cells[^1].Outputs[0]!["data"]!["text/plain"]));
    }

    /// <summary>A notebook whose prompts, file names, output and errors are markup that would run scripts: on the page all of it is text.</summary>
    [Fact]
    public void Run_NotebookFullOfMarkup_MakesAPageThatRunsNoneOfIt()
    {
        byte[] grey = new byte[3 * 64 * 64];
        Array.Fill(grey, (byte)128);
        Images.ImageFile.SavePng(new Images.RgbImage(64, 64, grey), Path.Combine(_folder, "<img src=x onerror=alert(1)>.png"));
        File.WriteAllText(
            Path.Combine(_folder, "xss.dib"),
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Running", "xss.dib")).Replace("@FOLDER", _folder, StringComparison.Ordinal)
        );

        // The last cell throws, on purpose.
        Assert.Equal(1, Run(out string text, "run", "xss.dib", "--html"));
        string page = File.ReadAllText(Path.Combine(_folder, "xss.html"));

        Assert.True(page.Contains("PWNED4", StringComparison.Ordinal) && page.Contains("PWNED5", StringComparison.Ordinal), text);
        Assert.DoesNotContain("<img src=x", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script>PWNED", page, StringComparison.OrdinalIgnoreCase);
        // In the data of a script, markup must not end the script.
        Assert.DoesNotMatch("(?i)</script>\\s*<script>PWNED", page);
    }

    [Fact]
    public void Run_LibraryObjectsAsResults_ShowThemselves()
    {
        Write(
            "b.ipynb",
            new NotebookCell { Source = "new NullTextResearch.Images.RgbImage(2, 2, new byte[12])" },
            new NotebookCell { Source = "TorchSharp.torch.arange(3)" }
        );

        Assert.Equal(0, Run(out _, "run", "b.ipynb"));

        NotebookDocument got = NotebookDocument.Load(Path.Combine(_folder, "b.ipynb"));
        Assert.Contains("<img", Text(got.Cells[0].Outputs[0]!["data"]!["text/html"]));
        Assert.NotNull(got.Cells[0].Outputs[0]!["data"]!["image/png"]);
        Assert.Contains("0  1  2", Text(got.Cells[1].Outputs[0]!["data"]!["text/plain"]));
    }

    /// <summary>ImageSharp is part of every cell, and its pictures are shown as the library's.</summary>
    [Fact]
    public void Run_PictureOfImageSharp_ShowsItself()
    {
        Write(
            "sharp.ipynb",
            new NotebookCell
            {
                Source =
                    "using NullTextResearch.ImageSharp;\nusing SixLabors.ImageSharp;\nusing SixLabors.ImageSharp.PixelFormats;\nvar red = new "
                    + "Image<Rgb24>(12, 8, new Rgb24(250, 10, 20));\nred",
            }
        );
        Assert.Equal(0, Run(out string text, "run", "sharp.ipynb"));
        JsonNode data = NotebookDocument.Load(Path.Combine(_folder, "sharp.ipynb")).Cells[0].Outputs[0]!["data"]!;
        Images.RgbImage shown = Images.ImageFile.Decode(Convert.FromBase64String(Text(data["image/png"])));
        // Small pictures are shown larger.
        int middle = 3 * ((shown.Height / 2 * shown.Width) + (shown.Width / 2));
        Assert.True(shown.Rgb[middle..(middle + 3)].SequenceEqual((byte[])[250, 10, 20]), text);
    }

    [Fact]
    public void Run_NotebookOfSeveralLanguages_RunsEachCellInItsOwn()
    {
        // As VS Code writes it: the language stands in the metadata alone, under its new name or its old one.
        File.WriteAllText(
            Path.Combine(_folder, "p.ipynb"),
            """
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": ".net-csharp"}}, "cells": [
             {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null, "source": ["var n = 20;"]},
             {"cell_type": "code", "id": "b", "metadata": {"polyglot_notebook": {"kernelName": "fsharp"}}, "outputs": [], "execution_count": null, "source": ["#!share --from csharp n\n", "let m = n + 1\n", "printfn \"%d\" m\n", "m"]},
             {"cell_type": "code", "id": "c", "metadata": {"dotnet_interactive": {"language": "mermaid"}}, "outputs": [], "execution_count": null, "source": ["graph LR\n", "  A --> B"]},
             {"cell_type": "code", "id": "d", "metadata": {}, "outputs": [], "execution_count": null, "source": ["#!share --from fsharp m\n", "m * 2"]}]}
            """
        );
        File.WriteAllText(
            Path.Combine(_folder, "q.dib"),
            "#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"fsharp\",\"items\":[{\"name\":\"csharp\"},{\"name\":\"fsharp\"}]}}\n\n#!fsharp\n\nlet a = "
                + "4\n\n#!csharp\n\n#!share --from fsharp a\nvar b = a * 2;\n\n#!f#\n\n#!set --name c --value @csharp:b\nc + 1\n\n#!markdown\n\n# Prose\n"
        );

        Assert.True(Run(out string text, "run", "p.ipynb") == 0, text);
        Assert.True(Run(out text, "run", "q.dib", "--out", "made", "--html") == 0, text);

        NotebookDocument p = NotebookDocument.Load(Path.Combine(_folder, "p.ipynb"));
        Assert.Equal(["csharp", "fsharp", "mermaid", "csharp"], p.Cells.Select(c => c.Language));
        Assert.Equal("21\n", Text(p.Cells[1].Outputs[0]!["text"]));
        Assert.Equal("21", Text(p.Cells[1].Outputs[1]!["data"]!["text/plain"]));
        Assert.Equal("graph LR\n  A --> B", Text(p.Cells[2].Outputs[0]!["data"]!["text/vnd.mermaid"]));
        Assert.Equal("42", Text(p.Cells[3].Outputs[0]!["data"]!["text/plain"]));
        // What Jupyter sends must name the language.
        Assert.StartsWith("#!fsharp", Text(JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "p.ipynb")))!["cells"]![1]!["source"]));
        string page = File.ReadAllText(Directory.GetFiles(Path.Combine(_folder, "made"), "q.html").Single());
        Assert.Contains("9", page);
    }

    [Fact]
    public void Run_AllWithAFailingCell_SaysWhichAndRunsTheOthers()
    {
        string failing = Write(
            "a.ipynb",
            new NotebookCell { Source = "var x = 1;" },
            new NotebookCell { Source = "throw new Exception(\"told\");" },
            new NotebookCell { Source = "x" }
        );
        string before = File.ReadAllText(failing);
        string good = Write("b.ipynb", new NotebookCell { Source = "5" });

        Assert.Equal(1, Run(out string text, "run", "all"));

        Assert.Contains("a.ipynb, cell 2: Exception: told", text);
        Assert.Contains("1 of 2 notebooks", text);
        Assert.Equal(before, File.ReadAllText(failing));
        Assert.Equal("5", Text(NotebookDocument.Load(good).Cells[0].Outputs[0]!["data"]!["text/plain"]));
    }

    private static string Text(JsonNode? node) => node is JsonArray lines ? string.Concat(lines.Select(l => l!.ToString())) : node!.ToString();

    private string Write(string name, params NotebookCell[] cells)
    {
        string path = Path.Combine(_folder, name);
        new NotebookDocument { Cells = cells }.Save(path);
        return path;
    }

    private int Run(out string text, params string[] words)
    {
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "nulltext.dll"), "notebook", .. words])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(2)))
            process.Kill(entireProcessTree: true);
        Assert.True(process.WaitForExit(1000), "nulltext notebook run did not end within two minutes");
        text = output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        return process.ExitCode;
    }
}
