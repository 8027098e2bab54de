using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Installing;

/// <summary>The verbs of the program, in a home folder of their own.</summary>
public sealed class InstallTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("nulltext-home-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private string Kernels => Path.Combine(_home, "jupyter", "kernels");

    [Fact]
    public void Install_FreeName_WritesASpecThatStartsUsAndUninstallRemovesIt()
    {
        Nulltext("notebook", "install").Succeeded();
        JsonNode spec = JsonNode.Parse(File.ReadAllText(Path.Combine(Kernels, ".net-csharp", "kernel.json")))!;
        string[] argv = [.. spec["argv"]!.AsArray().Select(a => a!.GetValue<string>())];
        Assert.Equal(["kernel", "{connection_file}"], argv[^2..]);
        Assert.True(File.Exists(argv[0]) && File.Exists(argv[1]), string.Join(' ', argv));
        Assert.Equal(("message", "C#"), (spec["interrupt_mode"]!.GetValue<string>(), spec["language"]!.GetValue<string>()));
        Nulltext("notebook", "install").Succeeded();
        Assert.Contains("Removed", Nulltext("notebook", "uninstall").Succeeded().Out, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(Kernels));
        Assert.Contains("No kernel", Nulltext("notebook", "uninstall").Succeeded().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Install_NameTaken_UsesAnotherAndNeverTouchesTheOther()
    {
        string foreign = Path.Combine(Kernels, ".net-csharp", "kernel.json");
        Directory.CreateDirectory(Path.GetDirectoryName(foreign)!);
        const string Theirs = "{\"argv\":[\"dotnet\",\"interactive\",\"jupyter\"],\"display_name\":\".NET (C#)\",\"language\":\"C#\"}";
        File.WriteAllText(foreign, Theirs);
        string said = Nulltext("notebook", "install").Succeeded().Out;
        // What was found, and what to do.
        Assert.Contains($"'.NET (C#)', started by 'dotnet interactive', in {Path.GetDirectoryName(foreign)}", said, StringComparison.Ordinal);
        Assert.Contains("Choose '.NET (C#, NullTextResearch)' in the kernel menu", said, StringComparison.Ordinal);
        Assert.Equal(
            ".NET (C#, NullTextResearch)",
            JsonNode.Parse(File.ReadAllText(Path.Combine(Kernels, "nulltext-csharp", "kernel.json")))!["display_name"]!.GetValue<string>()
        );
        Assert.Contains("belongs to another program", Nulltext("notebook", "install", "--name", ".net-csharp").Failed().Err, StringComparison.Ordinal);
        Assert.Contains("belongs to another program", Nulltext("notebook", "uninstall", "--name", ".net-csharp").Failed().Err, StringComparison.Ordinal);
        Nulltext("notebook", "uninstall").Succeeded();
        Assert.Equal(Path.GetDirectoryName(foreign), Assert.Single(Directory.GetDirectories(Kernels)));
        Assert.Equal(Theirs, File.ReadAllText(foreign));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{\"display_name\":\"\\u001b[2J\",\"argv\":7}")]
    public void Install_NameTakenByAnOddFile_LeavesItAlone(string content)
    {
        string foreign = Path.Combine(Kernels, ".net-csharp", "kernel.json");
        Directory.CreateDirectory(Path.GetDirectoryName(foreign)!);
        File.WriteAllText(foreign, content);
        string said = Nulltext("notebook", "install").Succeeded().Out;
        Assert.Contains("left alone", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', said);
        Assert.Equal(content, File.ReadAllText(foreign));
    }

    [Fact]
    public void Notebook_NoJupyter_SaysWhatToInstall()
    {
        Ended ended = Nulltext([("PATH", _home)], "notebook").Failed();
        foreach (
            string words in (string[])
                ["apt-get install --no-install-recommends jupyter-notebook", "pip install jupyterlab", "VS Code", "nulltext notebook install"]
        )
            Assert.Contains(words, ended.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Notebook_MissingFile_IsRefused() =>
        Assert.Contains("nowhere.ipynb", Nulltext("notebook", "nowhere.ipynb").Failed().Err, StringComparison.Ordinal);

    [Fact]
    public void Notebook_JupyterOnThePath_IsStartedWithOurKernelFirst()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("uses a shell script");
            return;
        }

        string jupyter = Path.Combine(_home, "jupyter-lab");
        File.WriteAllText(
            jupyter,
            "#!/bin/sh\necho \"args $@\"\necho \"path $JUPYTER_PATH\"\n/bin/cat \"${JUPYTER_PATH%%:*}/kernels/.net-csharp/kernel.json\"\n"
        );
        File.SetUnixFileMode(jupyter, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path.Combine(_home, "work"));
        Ended ended = Nulltext([("PATH", _home), ("JUPYTER_PATH", "/elsewhere")], "notebook", "work", "--no-browser").Succeeded();
        Assert.Contains("args work --no-browser", ended.Out, StringComparison.Ordinal);
        Assert.Contains(":/elsewhere", ended.Out, StringComparison.Ordinal);
        Assert.Contains("nulltext.dll", ended.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_DibToIpynbAndBack_IsTheSameText()
    {
        string dib = Path.Combine(_home, "a.dib"),
            back = Path.Combine(_home, "b.dib");
        const string Text = "#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"csharp\"}}\n\n#!markdown\n\n# Title\n\n#!csharp\n\n1 + 1\n\n";
        File.WriteAllText(dib, Text);
        Nulltext("notebook", "convert", dib, Path.Combine(_home, "a.ipynb")).Succeeded();
        Nulltext("notebook", "convert", Path.Combine(_home, "a.ipynb"), back).Succeeded();
        Assert.Equal(Text, File.ReadAllText(back));
    }

    [Fact]
    public void Kernel_AddressOtherMachinesReach_IsRefused()
    {
        string file = Path.Combine(_home, "c.json");
        File.WriteAllText(
            file,
            "{\"shell_port\":1,\"iopub_port\":2,\"stdin_port\":3,\"control_port\":4,\"hb_port\":5,\"ip\":\"0.0.0.0\",\"key\":\"k\",\"transport\":\"tcp\","
                + "\"signature_scheme\":\"hmac-sha256\"}"
        );
        Assert.Contains("only on this machine", Nulltext("kernel", file).Failed().Err, StringComparison.Ordinal);
    }

    private Ended Nulltext(params string[] arguments) => Nulltext([], arguments);

    private Ended Nulltext((string Name, string Value)[] environment, params string[] arguments)
    {
        ProcessStartInfo start = new(Kernel.Engine.DotnetHost.Path, [Path.Combine(AppContext.BaseDirectory, "nulltext.dll"), .. arguments])
        {
            WorkingDirectory = _home,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = _home;
        start.Environment["JUPYTER_DATA_DIR"] = Path.Combine(_home, "jupyter");
        start.Environment.Remove("JUPYTER_PATH");
        start.Environment.Remove("XDG_CACHE_HOME");
        // libtorch's mended copy is per home folder; this one is thrown away.
        start.Environment["XDG_CACHE_HOME"] = Path.Combine(_home, "cache");
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(60)));
        return new Ended(process.ExitCode, output, error.Result);
    }

    private sealed record Ended(int Code, string Out, string Err)
    {
        public Ended Succeeded()
        {
            Assert.True(Code == 0, Err);
            return this;
        }

        public Ended Failed()
        {
            Assert.Equal(1, Code);
            return this;
        }
    }
}
