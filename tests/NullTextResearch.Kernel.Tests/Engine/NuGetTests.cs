using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

[Collection(nameof(EngineFixture))]
public sealed class NuGetTests(EngineFixture session)
{
    [Fact]
    public void Reference_Package_IsRestoredAndUsed()
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        // The benchmarks bring it, so no network is needed; the kernel itself does not have it.
        Assert.SkipUnless(Directory.Exists(Path.Combine(cache, "commandlineparser", "2.9.1")), "CommandLineParser 2.9.1 is not in the NuGet cache: restore the whole solution first.");
        Ran ran = session.Ok("#r \"nuget: CommandLineParser, 2.9.1\"\nusing CommandLine;\nParser.Default.GetType().FullName");
        Assert.Equal("CommandLine.Parser", ran.Value);
        Assert.Contains("CommandLineParser 2.9.1", ran.Displays.Single()["text/plain"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("true", session.Ok("Parser.Default is not null").Value);
    }

    [Fact]
    public void Reference_PackageThatDoesNotExist_ShowsWhatNuGetSays()
    {
        string empty = Directory.CreateDirectory(Path.Combine(session.Folder, "feed")).FullName;
        Ran ran = session.Run($"#i \"nuget: {empty}\"\n#r \"nuget: NullTextResearch.NoSuchPackage, 9.9.9\"");
        Assert.Equal("RestoreError", ran.Result.Error!.Name);
        Assert.Contains("NoSuchPackage", ran.Result.Error.Message, StringComparison.Ordinal);
    }
}
