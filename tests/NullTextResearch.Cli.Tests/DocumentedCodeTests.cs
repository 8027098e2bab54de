using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NullTextResearch.Images;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>C# in the documents is compiled; the README's is run.</summary>
public sealed partial class DocumentedCodeTests : Workshop
{
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; "
        + "global using System.Threading; global using System.Threading.Tasks;";

    public static TheoryData<string> Documents =>
        [
            .. ((string[])["README.md", "CONTRIBUTING.md", "environment.md", .. Directory.GetFiles(SourceTree.At("docs"), "*.md")])
                .Select(f => Path.GetRelativePath(SourceTree.Root, SourceTree.At(f)).Replace('\\', '/'))
                .Where(f => Blocks(f).Length > 0),
        ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Documents_CodeOfThem_Compiles(string document)
    {
        foreach (string code in Blocks(document))
            Assert.Empty(Compile(code).GetDiagnostics(TestContext.Current.CancellationToken).Where(d => d.Severity == DiagnosticSeverity.Error));
    }

    [Fact]
    public void Readme_Example_EditsThePicture()
    {
        RequireMini();
        string code = Assert.Single(Blocks("README.md"));
        string name = "readme-" + Guid.NewGuid().ToString("N")[..8];
        string program = Path.Combine(AppContext.BaseDirectory, name + ".dll");
        string scene = Path.Combine(Folder, "data", "images", "toy", "01-house-snow.png");
        Directory.CreateDirectory(Path.GetDirectoryName(scene)!);
        File.Copy(SourceTree.At("data", "images", "toy", "01-house-snow.png"), scene);
        try
        {
            Assert.True(Compile(code, name).Emit(program, cancellationToken: TestContext.Current.CancellationToken).Success);
            foreach (string kind in (string[])["runtimeconfig", "deps"])
                File.Copy(Path.Combine(AppContext.BaseDirectory, $"nulltext.{kind}.json"), Path.ChangeExtension(program, $"{kind}.json"));
            Outcome outcome = Nulltext.Run(
                new ProcessStartInfo("dotnet", [program])
                {
                    WorkingDirectory = Folder,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            );
            Assert.True(outcome.ExitCode == 0, outcome.Error);
            RgbImage city = ImageFile.Load(Path.Combine(Folder, "city.png")),
                house = ImageFile.Load(scene);
            Assert.Equal((house.Width, house.Height), (city.Width, city.Height));
            Assert.NotEqual(house, city);
        }
        finally
        {
            foreach (string file in Directory.GetFiles(AppContext.BaseDirectory, name + ".*"))
                File.Delete(file);
        }
    }

    private static CSharpCompilation Compile(string code, string name = "documented")
    {
        CSharpParseOptions options = new(LanguageVersion.CSharp14);
        return CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(Usings, options), CSharpSyntaxTree.ParseText(code, options)],
            ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(f => MetadataReference.CreateFromFile(f)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication)
        );
    }

    private static string[] Blocks(string document) =>
        [.. Code().Matches(File.ReadAllText(SourceTree.At(document))).Select(m => m.Groups[1].Value).Where(c => !NotebookLine().IsMatch(c))];

    // Cells of notebooks: tests of the kernels run such.
    [GeneratedRegex("^#[ir!]", RegexOptions.Multiline)]
    private static partial Regex NotebookLine();

    [GeneratedRegex("```csharp\r?\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
