using System.Runtime.CompilerServices;
using Xunit;

namespace NullTextResearch.Cli.Tests;

public sealed class MethodsTests : Workshop
{
    [Fact]
    public void Methods_Markdown_IsTheTableOfTheDocuments()
    {
        Outcome outcome = Run("methods", "--markdown").WithoutStackTrace();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains(outcome.Out.Trim(), File.ReadAllText(Path.Combine(Root(), "docs", "methods.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void Methods_Plain_SaysWhatEachCosts() => Assert.Contains("T (N + 3)", Run("methods").WithoutStackTrace().Out, StringComparison.Ordinal);

    [Fact]
    public void Methods_Id_ListsOptionsWithDefaults_OfEverythingOfThatName()
    {
        string text = Run("methods", "fixed-point").WithoutStackTrace().Out;
        Assert.Contains("--method fixed-point", text, StringComparison.Ordinal);
        Assert.Matches(@"path\.iterations +=\s5 +whole number", text);
        Assert.Contains("did you mean 'edict'?", Run("methods", "edct").WithoutStackTrace().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("learning-rte=1", "there are inner-steps, learning-rate")]
    [InlineData("learning-rate", "--set takes NAME=VALUE")]
    [InlineData("path.iterations=no", "which takes whole number")]
    public void Invert_OptionThatIsNotThere_IsAMistakeOfTheCommandLine(string set, string expected)
    {
        Outcome outcome = Run("invert", "none.png", "--prompt", "a cat", "--path", "fixed-point", "--set", set).WithoutStackTrace();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
