using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Jupyter;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Jupyter;

/// <summary>Kernels as they lie in Jupyter's folders.</summary>
public sealed class JupyterSpecTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-specs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Find_FirstFolderWithTheName_IsUsed()
    {
        string own = Write(
            "user",
            "Thing",
            """{"argv": ["thing", "-f", "{connection_file}", "{resource_dir}/x"], "display_name": "A thing", "language": "t", "env": {"A": "${HOME}/a", "B": "${NO_SUCH_VARIABLE}$b"}, "interrupt_mode": "message"}"""
        );
        string other = Write("system", "thing", """{"argv": ["other", "{connection_file}"]}""");
        JupyterSpec spec = JupyterSpec.Find("thing", [own, other]);
        Assert.Equal(("Thing", "A thing", "t", true), (spec.Name, spec.DisplayName, spec.Language, spec.InterruptsByMessage));
        Assert.Equal(["thing", "-f", "/c.json", $"{own}/Thing/x"], spec.Command("/c.json"));
        Assert.Equal($"{Environment.GetEnvironmentVariable("HOME")}/a", JupyterSpec.Expand(spec.Environment["A"]));
        Assert.Equal("${NO_SUCH_VARIABLE}$b", JupyterSpec.Expand(spec.Environment["B"]));
        JupyterSpec second = JupyterSpec.Find("thing", [other, own]);
        Assert.Equal(("other", false, "thing"), (second.Arguments[0], second.InterruptsByMessage, second.DisplayName));
    }

    [Fact]
    public void Find_MissingName_TellsWhatIsThereAndWhatToInstall()
    {
        string own = Write("user", "julia", """{"argv": ["julia", "{connection_file}"]}""");
        string message = Assert.Throws<CellException>(() => JupyterSpec.Find("python3", [own, "/no/such/folder"])).Message;
        foreach (string part in (string[])["'python3'", "installed: julia", "apt install python3-ipykernel", "pip install ipykernel"])
            Assert.Contains(part, message, StringComparison.Ordinal);
        Assert.Contains("no kernels are installed", Assert.Throws<CellException>(() => JupyterSpec.Find("python3", [])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"argv": ["x"]}""", "connection_file")]
    [InlineData("""{"argv": []}""", "connection_file")]
    [InlineData("""{"argv": ["x", 3, "{connection_file}"]}""", "not a string")]
    [InlineData("""{"display_name": "x"}""", "argv")]
    [InlineData("""{"argv": ["x", "{connection_file}"], "env": {"A": 1}}""", "env")]
    [InlineData("""{"argv": ["x", "{connection_file}"], "interrupt_mode": "wish"}""", "interrupt_mode")]
    [InlineData("[]", "object")]
    [InlineData("{", "kernel.json")]
    public void Find_DamagedFile_IsNamed(string json, string expected)
    {
        string own = Write("user", "bad", json);
        string message = Assert.Throws<CellException>(() => JupyterSpec.Find("bad", [own])).Message;
        Assert.Contains(Path.Combine(own, "bad", "kernel.json"), message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    private string Write(string place, string name, string json)
    {
        string kernels = Path.Combine(_folder, place);
        Directory.CreateDirectory(Path.Combine(kernels, name));
        File.WriteAllText(Path.Combine(kernels, name, "kernel.json"), json);
        return kernels;
    }
}
