using NullTextResearch.Images;

namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>The extension in Microsoft's tool, brought by package and by path.</summary>
public sealed class ToolTests(Tool tool) : IClassFixture<Tool>
{
    [Fact]
    public void Reference_PackageFromAFolderFeed_LoadsAndStartsTheExtension()
    {
        Ran load = tool.Package(Sessions.Load).Succeeded();

        Assert.Contains(
            load.Of("text/plain"),
            t =>
                t.Contains("Loading extensions from", StringComparison.Ordinal)
                && t.Contains("NullTextResearch.DotNetInteractive.dll", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Help_InTheTool_NamesEveryWord()
    {
        string text = Assert.Single(tool.Package(Sessions.Help).Succeeded().Of("text/plain"));

        Assert.All(
            (string[])["#!nulltext help", "#!nulltext doctor", "#!nulltext plotly", "Workbench.Open()"],
            words => Assert.Contains(words, text, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Doctor_InTheTool_FindsEverythingInPlace()
    {
        string text = Assert.Single(tool.Package(Sessions.Doctor).Succeeded().Of("text/plain"));

        Assert.All(
            (string[])["libtorch ", "sd-mini, 64 px", "checks right", "All essentials are in place."],
            words => Assert.Contains(words, text, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void UnknownWord_InTheTool_SaysWhichThereAre()
    {
        Ran ran = tool.Package(Sessions.Unknown);

        Assert.NotEqual("ok", ran.Status);
        Assert.Contains("#!nulltext does not know 'nonsense'; expected one of: help, doctor, methods, plotly.", ran.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public void Plotly_WithoutItsPackage_SaysWhatIsMissingAndWhatToUse()
    {
        Ran ran = tool.Package(Sessions.Plotly);

        Assert.NotEqual("ok", ran.Status);
        Assert.All(
            (string[])["#r \"nuget: Plotly.NET.Interactive, 6.0.0\"", "FSharp.Core", "View.Chart"],
            words => Assert.Contains(words, ran.Everything, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Open_InTheTool_FindsTheEmbeddedModelInThePackage() =>
        Assert.Contains("sd-mini", Assert.Single(tool.Package(Sessions.Open).Succeeded().Of("text/plain")), StringComparison.Ordinal);

    [Fact]
    public void Invert_InTheTool_ShowsLiveProgressAndAPicture()
    {
        Ran ran = tool.Package(Sessions.Invert).Succeeded();

        Assert.True(ran.Count("update_display_data") > 0, ran.Everything);
        Assert.Contains("done after", ran.Of("text/plain")[^2], StringComparison.Ordinal);
        Assert.NotNull(ImageFile.Decode(Convert.FromBase64String(Assert.Single(ran.Of("image/png")))));
        Assert.Contains("nt-compare", ran.Of("text/html")[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Chart_InTheTool_IsDrawnBesideAnotherFSharpCore(bool byPath)
    {
        Ran ran = (byPath ? tool.Path(5) : tool.Package(Sessions.Chart)).Succeeded();

        string html = Assert.Single(ran.Of("text/html"));
        Assert.DoesNotContain("cannot be shown", html, StringComparison.Ordinal);
        Assert.Contains("class=\"nt-plot\"", html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script[^>]*src=", html);
        // It would come as text, which no front end draws.
        Assert.Empty(ran.Of("application/vnd.plotly.v1+json"));
    }

    [Fact]
    public void LibraryTypes_InTheTool_LookAsInOurKernel()
    {
        Assert.Contains("data:image/", Assert.Single(tool.Package(Sessions.Picture).Succeeded().Of("text/html")), StringComparison.Ordinal);
        Assert.Matches("GuidanceScale +7.5", Assert.Single(tool.Package(Sessions.Members).Succeeded().Of("text/plain")));
    }

    [Fact]
    public void Host_InTheTool_DisplaysUpdatesAndCanBeCancelled()
    {
        Ran ran = tool.Package(Sessions.Host).Succeeded();

        Assert.Equal((1, 1), (ran.Count("display_data"), ran.Count("update_display_data")));
        Assert.Equal("gone on", ran.Of("text/plain")[1]);
        Assert.Matches(@"^\.NET Interactive .*, True$", ran.Of("text/plain")[^1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Assemblies_InTheTool_AreItsOwnAndOneCopyOfOurs(bool byPath)
    {
        string[] loaded =
        [
            .. (byPath ? tool.Path(6) : tool.Package(Sessions.Loaded))
                .Succeeded()
                .Everything.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => l.Replace("[stdout] ", "", StringComparison.Ordinal).Trim()),
        ];

        Assert.Contains("FSharp.Core 10.0.0.0 Default", loaded);
        Assert.Contains("FSharp.Core 10.1.0.0 Plotly.NET", loaded);
        Assert.Contains(loaded, l => l.StartsWith("Microsoft.CodeAnalysis 5.0.", StringComparison.Ordinal));
        Assert.Single(loaded, l => l.StartsWith("Microsoft.CodeAnalysis ", StringComparison.Ordinal));
        Assert.Single(loaded, l => l.StartsWith("NullTextResearch ", StringComparison.Ordinal) && !l.EndsWith(" Plotly.NET", StringComparison.Ordinal));
        Assert.Single(loaded, l => l.StartsWith("TorchSharp ", StringComparison.Ordinal) && !l.EndsWith(" Plotly.NET", StringComparison.Ordinal));
    }

    [Fact]
    public void Serve_InTheTool_AnswersOverItsOwnSocket() => Assert.Equal("{\"heard\":5}", tool.Package(Sessions.Live).Succeeded().Of("text/plain")[^1]);

    /// <summary>
    /// What a saved notebook shall keep is computed beforehand, for this kernel replaces no output of a cell that has ended; the rest when the slider
    /// gets there.
    /// </summary>
    [Fact]
    public void Explore_InTheTool_ComputesBeforehandAndCanBeAsked()
    {
        Ran ran = tool.Package(Sessions.Explore).Succeeded();

        Assert.Equal("4 True", ran.Of("text/plain")[^1]);
        Assert.Contains(ran.Of("text/html"), page => page.Contains("ws://127.0.0.1:", StringComparison.Ordinal));
        Assert.Contains(ran.Of("text/html"), page => page.Split("data-at=").Length == 5);
    }

    [Fact]
    public void LoadAsync_SecondTime_ChangesNothing() => Assert.Equal("again", tool.Package(Sessions.Again).Succeeded().Of("text/plain")[^1]);

    [Fact]
    public void Reference_PublishedFolder_LoadsByOneCall()
    {
        tool.Path(0).Succeeded();
        tool.Path(1).Succeeded();
        Assert.Contains("#!nulltext doctor", tool.Path(2).Succeeded().Everything, StringComparison.Ordinal);
        Assert.Contains("sd-mini", tool.Path(3).Succeeded().Everything, StringComparison.Ordinal);
        Assert.True(tool.Path(4).Succeeded().Count("update_display_data") > 0, tool.Path(4).Everything);
    }

    /// <summary>A program of a user's: a project with one package reference, restored from the feed, run.</summary>
    [Fact]
    public void Program_PackageOfAFeed_EditsAPicture()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "packs with a shell script");
        string folder = Directory.CreateTempSubdirectory("nulltext-program-").FullName;
        try
        {
            string version = System.IO.Path.GetFileName(Directory.GetFiles(tool.Feed, "NullTextResearch.0*.nupkg").Single())[
                "NullTextResearch.".Length..^".nupkg".Length
            ];
            Write(
                "program.csproj",
                $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <ImplicitUsings>enable</ImplicitUsings>
                    <CreateHardLinksForCopyLocalIfPossible>true</CreateHardLinksForCopyLocalIfPossible>
                  </PropertyGroup>
                  <ItemGroup>
                    <PackageReference Include="NullTextResearch" Version="{version}" />
                  </ItemGroup>
                </Project>
                """
            );
            Write("nuget.config", $"""<configuration><packageSources><add key="feed" value="{tool.Feed}" /></packageSources></configuration>""");
            Write(
                "program.cs",
                """
                using NullTextResearch;
                using NullTextResearch.Images;
                using NullTextResearch.Inversion;

                using var sd = StableDiffusion.LoadMini();
                RgbImage picture = new(64, 64, [.. Enumerable.Range(0, 64 * 64 * 3).Select(i => (byte)i)]);
                using var car = sd.Invert(picture, "a red car in the desert", new InvertOptions { Steps = 2, Method = new DdimInversion() });
                using var edit = sd.Edit(car, "a blue car in the desert");
                Console.WriteLine($"{edit.Image.Width} x {edit.Image.Height}");
                """
            );
            Tool.Required("dotnet", ["build", folder, "-c", "Release", "-v", "q", "-nologo"]);
            Assert.Equal("64 x 64", Tool.Required("dotnet", [System.IO.Path.Combine(folder, "bin", "Release", "net10.0", "program.dll")]).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Write(string name, string text) => File.WriteAllText(System.IO.Path.Combine(folder, name), text);
    }
}
