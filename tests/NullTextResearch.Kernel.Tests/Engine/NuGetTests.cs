using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

[Collection(nameof(EngineFixture))]
public sealed class NuGetTests(EngineFixture session)
{
    [Fact]
    public void Reference_Package_IsRestoredAndUsed()
    {
        string cache =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        // Other tests bring it, so no network is needed; the kernel itself does not have it.
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(cache, "microsoft.aspnetcore.html.abstractions", "2.3.13")),
            "Microsoft.AspNetCore.Html.Abstractions 2.3.13 is not in the NuGet cache: restore the whole solution first."
        );
        Ran ran = session.Ok(
            "#r \"nuget: Microsoft.AspNetCore.Html.Abstractions, 2.3.13\"\nusing Microsoft.AspNetCore.Html;\nnew HtmlString(\"a\").GetType().FullName"
        );
        Assert.Equal("Microsoft.AspNetCore.Html.HtmlString", ran.Value);
        Assert.Contains("Microsoft.AspNetCore.Html.Abstractions 2.3.13", ran.Displays.Single()["text/plain"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("true", session.Ok("new HtmlString(\"b\").Value == \"b\"").Value);
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
