using System.Text.Json;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

public sealed class MethodsTests : Workshop
{
    [Fact]
    public void Methods_Markdown_IsTheTableOfTheDocuments()
    {
        Outcome outcome = Run("methods", "--markdown").WithoutStackTrace();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains(outcome.Out.Trim(), File.ReadAllText(SourceTree.At("docs", "methods.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Methods_Plain_SaysWhatEachCosts() => Assert.Contains("T (N + 3)", Run("methods").WithoutStackTrace().Out, StringComparison.Ordinal);

    [Fact]
    public void Methods_Id_ListsOptionsWithDefaults_OfEverythingOfThatName()
    {
        string text = Run("methods", "fixed-point").WithoutStackTrace().Out;
        Assert.Contains("--method fixed-point", text, StringComparison.Ordinal);
        Assert.Matches(@"path\.iterations +=\s5 +whole number", text);
        Outcome both = Run("methods", "fixed-point", "--markdown").WithoutStackTrace();
        Assert.Equal(2, both.ExitCode);
        Assert.Contains("leave out either it or the ID", both.Error, StringComparison.Ordinal);
        Assert.Contains("did you mean 'edict'?", Run("methods", "edct").WithoutStackTrace().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("leave out either it or the ID", "null-text", "--quirks", "2")]
    [InlineData("leave out either it or --markdown", "--markdown", "--quirks", "2")]
    [InlineData("--quirks needs at least 2 scenes", "--quirks", "1")]
    [InlineData("--out is for --quirks", "--out", "somewhere")]
    [InlineData("--null-text-cost measures and prints a table of its own: leave out either it or the ID", "null-text", "--null-text-cost", "2")]
    [InlineData("--null-text-cost needs 2 to 500 scenes", "--null-text-cost", "1")]
    [InlineData("--variant is for --null-text-cost", "--variant", "fast")]
    [InlineData("--timesteps is for --null-text-cost", "--quirks", "2", "--timesteps", "20")]
    [InlineData("'fats' not recognized", "--null-text-cost", "2", "--variant", "fats")]
    [InlineData("are separate measurements", "--null-text-cost", "2", "--quirks", "2")]
    public void Methods_OptionsThatExcludeEachOther_AreRefused(string expected, params string[] arguments)
    {
        Outcome outcome = Run(["methods", .. arguments]).WithoutStackTrace();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Methods_CostOfOneVariant_WritesPageTablesAndManifest()
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-cost-").FullName;
        try
        {
            Outcome outcome = Run("methods", "--null-text-cost", "2", "--timesteps", "2", "--variant", "fast", "--threads", "1", "--out", folder);
            Assert.Equal(0, outcome.ExitCode);
            Assert.Contains("| fast |", outcome.Out, StringComparison.Ordinal);
            Assert.Contains("Quality against cost", File.ReadAllText(Path.Combine(folder, "index.html")), StringComparison.Ordinal);
            Assert.Equal(2, File.ReadLines(Path.Combine(folder, "variants.csv")).Count());
            Assert.Equal(3, File.ReadLines(Path.Combine(folder, "images.csv")).Count());
            using System.Text.Json.JsonDocument manifest = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "manifest.json")));
            Assert.Equal("nulltext methods --null-text-cost 2 --timesteps 2 --variant \"fast\"", manifest.RootElement.GetProperty("command").GetString());
            Assert.Equal(2, manifest.RootElement.GetProperty("variants")[0].GetProperty("images").GetInt32());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("learning-rte=1", "available: inner-steps, learning-rate")]
    [InlineData("learning-rate", "--set takes NAME=VALUE")]
    [InlineData("path.iterations=no", "expected whole number")]
    public void Invert_OptionThatIsNotThere_IsAMistakeOfTheCommandLine(string set, string expected)
    {
        Outcome outcome = Run("invert", "none.png", "--prompt", "a cat", "--path", "fixed-point", "--set", set).WithoutStackTrace();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string> Entries =>
        [
            .. InversionCatalogue.All.Select(m => $"method {m.Id}"),
            .. PathCatalogue.All.Select(p => $"path {p.Id}"),
            .. EditorCatalogue.All.Select(e => $"editor {e.Id}"),
        ];

    [Theory]
    [MemberData(nameof(Entries))]
    public void Methods_EqualTo_IsTheLimitThatVerifyChecks(string entry)
    {
        string id = entry.Split(' ')[1];
        (OriginalCode code, string memory) = entry.Split(' ')[0] switch
        {
            "method" => (InversionCatalogue.Find(id).EqualTo, InversionCatalogue.Find(id).Memory),
            "path" => (PathCatalogue.Find(id).EqualTo, PathCatalogue.Find(id).Memory),
            _ => (EditorCatalogue.Find(id).EqualTo, EditorCatalogue.Find(id).Memory),
        };
        Assert.NotEmpty(memory);
        Assert.NotEmpty(code.Code);
        if (code.Golden is not { } golden)
        {
            Assert.Same(OriginalCode.None, code);
            return;
        }
        string path = SourceTree.At("data", "golden", golden);
        Assert.True(File.Exists(path), path);
        using JsonDocument checks = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(path)!, "checks.json")));
        string member = code.IsRelative ? "rel_l2" : "max_abs";
        double[] limits =
        [
            .. checks
                .RootElement.GetProperty("checks")
                .GetProperty(Path.GetFileName(path))
                .EnumerateObject()
                .Where(t => t.Name.StartsWith(code.Tensors, StringComparison.Ordinal) && t.Value.TryGetProperty(member, out _))
                .Select(t => t.Value.GetProperty(member).GetDouble()),
        ];
        Assert.NotEmpty(limits);
        Assert.Equal(limits.Max(), code.Limit);
    }
}
