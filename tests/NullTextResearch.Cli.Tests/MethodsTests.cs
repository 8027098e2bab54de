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

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
