using System.Diagnostics;
using System.Text;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Documents;

/// <summary>Notebook files that are not what they should be: refused as documented, with file and place, and never another way.</summary>
public sealed class DamagedNotebookTests : IDisposable
{
    private const string Sound = """
        {"cells":[{"cell_type":"code","execution_count":3,"id":"abc","metadata":{"polyglot_notebook":{"kernelName":"csharp"},"tags":["parameters"]},"outputs":[{"output_type":"stream","name":"stdout","text":["a\n"]},{"output_type":"error","ename":"E","evalue":"v","traceback":["t"]},{"output_type":"display_data","data":{"image/png":"AAAA","text/html":["<b>"]},"metadata":{}}],"source":["var x = 1;\n","x"]},
         {"cell_type":"markdown","metadata":{},"source":"# T $x^2$ [a](http://b)"},{"cell_type":"raw","metadata":{},"source":"r"}],
         "metadata":{"kernelspec":{"name":".net-csharp","display_name":".NET (C#)","language":"C#"},"polyglot_notebook":{"kernelInfo":{"defaultKernelName":"csharp","items":[]}}},"nbformat":4,"nbformat_minor":5}
        """;

    private const string SoundDib =
        "#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"csharp\",\"items\":[{\"name\":\"csharp\",\"aliases\":[\"c#\"]}]}}\n\n#!markdown\n\n# "
        + "T\n\n#!csharp\n\n#!time\nvar x = 1;\n\n#!fsharp\n\nlet y = 2\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-damaged-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a.ipynb", """{"nbformat":4,"nbformat":4,"metadata":{},"cells":[]}""", "the name \"nbformat\" appears twice (line 1, byte 15)")]
    [InlineData("a.ipynb", """{"nbformat":4.5,"cells":[]}""", "nbformat is 4.5; expected 4")]
    [InlineData("a.ipynb", """{"nbformat":99999999999999999999,"cells":[]}""", "nbformat is 99999999999999999999")]
    [InlineData("a.ipynb", """{"nbformat":{"a":1},"cells":[]}""", "nbformat is an object")]
    [InlineData("a.ipynb", """{"nbformat":4,"metadata":[],"cells":[]}""", "metadata is a list; expected an object")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":{}}""", "cells is an object; expected a list")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[7]}""", "cell 1 is not a JSON object")]
    [InlineData(
        "a.ipynb",
        """{"nbformat":4,"cells":[{"cell_type":"markdown","source":"a"},{"cell_type":"\u001b]0;t"}]}""",
        "cell 2 has the type \"\\u001B]0;t\""
    )]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":["a",5]}]}""", "cell 1: source, line 2 is 5; expected a string")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":"a","outputs":[1]}]}""", "cell 1: output 1 is not a JSON object")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":"a","outputs":{}}]}""", "cell 1: outputs is an object")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":"a","execution_count":1e99}]}""", "cell 1: execution_count is 1e99")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":"a","id":4}]}""", "cell 1: id is 4; expected a string")]
    [InlineData(
        "a.ipynb",
        """{"nbformat":4,"cells":[{"cell_type":"code","source":"a","metadata":{"polyglot_notebook":["x"]}}]}""",
        "cell 1: metadata.polyglot_notebook is a list"
    )]
    [InlineData("a.ipynb", """{"nbformat":4,"metadata":{"kernelspec":"x"},"cells":[]}""", "metadata.kernelspec is \"x\"; expected an object")]
    [InlineData("a.ipynb", """{"nbformat":4,"cells":[{"cell_type":"code","source":"\ud800"}]}""", "a string is not valid text")]
    [InlineData("a.dib", "#!meta\n{\"kernelInfo\":[]}\n#!csharp\n1\n", "the block after #!meta: kernelInfo is a list; expected an object")]
    [InlineData("a.dib", "#!meta\n{\"a\":1,\"a\":2}\n#!csharp\n1\n", "the block after #!meta: the name \"a\" appears twice")]
    [InlineData("a.dib", "#!meta\n[]\n#!csharp\n1\n", "the block after #!meta is not a JSON object")]
    [InlineData("a.dib", "#!meta\n{\"kernelInfo\":{\"defaultKernelName\":5}}\n#!csharp\n1\n", "defaultKernelName is 5; expected a string")]
    [InlineData("a.dib", "#!meta\n{\"a\":\"\\ud800\"}\n#!csharp\n1\n", "a string is not valid text")]
    public void Load_DamagedAtAPlace_NamesFileAndPlace(string name, string text, string expected)
    {
        string message = Assert.Throws<NotebookFormatException>(() => NotebookDocument.Load(Write(name, Encoding.UTF8.GetBytes(text)))).Message;
        Assert.Contains(Path.Combine(_folder, name), message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.ipynb")]
    [InlineData("a.dib")]
    [InlineData("a.cs")]
    public void Load_BytesThatAreNoUtf8_AreRefused(string name) =>
        Assert.Contains(
            "is not UTF-8 text",
            Assert.Throws<NotebookFormatException>(() => NotebookDocument.Load(Write(name, [.. Encoding.UTF8.GetBytes(Sound), 0xFF, 0xC0]))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void Load_NestedDeeply_IsRefused(char bracket) =>
        Assert.Throws<NotebookFormatException>(() =>
            NotebookDocument.Load(Write("a.ipynb", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(bracket == '[' ? "[" : "{\"a\":", 100_000)))))
        );

    [Fact]
    public void Load_FolderOrPipeInPlaceOfAFile_IsRefused()
    {
        string folder = Path.Combine(_folder, "a.ipynb");
        Directory.CreateDirectory(folder);
        Assert.Contains("is a folder", Assert.ThrowsAny<IOException>(() => NotebookDocument.Load(folder)).Message, StringComparison.Ordinal);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Pipes with a name are Unix's.");
        string pipe = Path.Combine(_folder, "b.dib");
        using (Process make = Process.Start("mkfifo", [pipe]))
            make.WaitForExit();
        Assert.Contains("is a named pipe", Assert.ThrowsAny<IOException>(() => NotebookDocument.Load(pipe)).Message, StringComparison.Ordinal);
        string device = Path.Combine(_folder, "c.cs");
        File.CreateSymbolicLink(device, "/dev/zero");
        Assert.Contains("is a device", Assert.ThrowsAny<IOException>(() => NotebookDocument.Load(device)).Message, StringComparison.Ordinal);
    }

    /// <summary>What can be read can also be written, as a notebook and as a page.</summary>
    [Theory]
    [InlineData("a.ipynb", 1500)]
    [InlineData("a.dib", 1500)]
    public void Fuzz_MutatedFiles_ThrowWhatIsDocumented(string name, int count)
    {
        byte[] sound = Encoding.UTF8.GetBytes(name.EndsWith(".dib", StringComparison.Ordinal) ? SoundDib : Sound);
        int accepted = 0;
        for (int seed = 0; seed < count; seed++)
        {
            FileMutator mutator = new(seed);
            Mutant mutant = name.EndsWith(".dib", StringComparison.Ordinal) ? Dib(mutator, sound, seed) : mutator.Json(sound);
            string path = Write(name, mutant.Bytes);
            try
            {
                NotebookDocument got = NotebookDocument.Load(path);
                got.Save(path);
                Assert.Equal(got.Cells.Count, NotebookDocument.Load(path).Cells.Count);
                NotebookHtml.Write(got, "t");
                accepted++;
            }
            catch (NotebookFormatException e)
            {
                Assert.True(e.Message.Contains(path, StringComparison.Ordinal), $"seed {seed} ({mutant.What}): {e.Message}");
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} ({mutant.What}): {e}");
            }
        }

        Assert.InRange(accepted, count / 100, count - 1);
    }

    // Half of the damage into the block of metadata, which is JSON; its end stays.
    private static Mutant Dib(FileMutator mutator, byte[] sound, int seed)
    {
        if (seed % 2 == 0)
            return mutator.Lines(sound);
        int start = Array.IndexOf(sound, (byte)'{'),
            end = sound.AsSpan().IndexOf("\n\n#!markdown"u8);
        Mutant meta = mutator.Json(sound.AsSpan(start, end - start));
        return meta with { Bytes = [.. sound.AsSpan(0, start), .. meta.Bytes, .. sound.AsSpan(end)] };
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
