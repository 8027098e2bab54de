using Xunit;

namespace NullTextResearch.Cli.Tests;

public sealed class CompareTests : Workshop
{
    private static readonly string[] Short =
    [
        "--prompt",
        "a big house in the snow",
        "--to",
        "a big house in the city",
        "--steps",
        "3",
        "--inner",
        "1",
        "--out",
        "compared",
    ];

    [Fact]
    public void Compare_MethodsAndEditors_WritesPicturesAndNumbers_AndKeepsWhatWasDone()
    {
        string[] first = ["compare", "photo.png", .. Short, "--methods", "ddim,null-text@fixed-point,edict", "--editors", "prompt-to-prompt,masactrl"];
        Outcome outcome = Run(first);
        Assert.Equal(0, outcome.WithoutStackTrace().ExitCode);
        string table = File.ReadAllText(Path.Combine(Folder, "compared", "table.csv"));
        Assert.Equal(1 + (3 * 2), table.Trim().Split('\n').Length);
        Assert.Matches("(?m)^null-text@fixed-point,.*,masactrl,", table);
        Assert.True(new FileInfo(Path.Combine(Folder, "compared", "grid.png")).Length > 10_000);

        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(Folder, "compared", "edict", "edit-masactrl.png"));
        Outcome again = Run(first);
        Assert.Equal(0, again.WithoutStackTrace().ExitCode);
        Assert.Equal(3, again.Out.Split("from an earlier run").Length - 1);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(Folder, "compared", "edict", "edit-masactrl.png")));
        Assert.Equal(table, File.ReadAllText(Path.Combine(Folder, "compared", "table.csv")));
    }

    [Fact]
    public void Compare_PairThatDoesNotGoTogether_IsNoted_AndTheOthersAreDone()
    {
        Outcome outcome = Run(["compare", "photo.png", .. Short, "--methods", "textual", "--editors", "plug-and-play,masactrl"]);
        Assert.Equal(0, outcome.WithoutStackTrace().ExitCode);
        Assert.Contains("plug-and-play", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("pivot", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("does not go together", File.ReadAllText(Path.Combine(Folder, "compared", "table.csv")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Folder, "compared", "textual", "edit-masactrl.png")));
    }

    [Theory]
    [InlineData("--methods", "null-text@edict", "own sampling rule")]
    [InlineData("--methods", "nul", "null-text")]
    [InlineData("--methods", "ddim,ddim", "twice")]
    [InlineData("--methods", ",", "lists no ids")]
    [InlineData("--editors", "masa", "masactrl")]
    public void Compare_NamesThatDoNotExistOrFit_AreRefused(string option, string value, string says) =>
        Run(["compare", "picture.png", .. Short, option, value]).Refused(2, option, says);
}
