using NullTextResearch.Models;
using Xunit;

namespace NullTextResearch.Tests.Models;

public sealed class ModelNameTests
{
    [Theory]
    [InlineData("stable-diffusion-v1-5/stable-diffusion-v1-5", "stable-diffusion-v1-5", "stable-diffusion-v1-5", null)]
    [InlineData("CompVis/stable-diffusion-v1-4@fp16", "CompVis", "stable-diffusion-v1-4", "fp16")]
    [InlineData("a/b.c_d@refs/pr/3", "a", "b.c_d", "refs/pr/3")]
    public void TryParse_Name_GivesItsParts(string text, string owner, string name, string? revision)
    {
        Assert.True(ModelName.TryParse(text, out ModelName? model));
        Assert.Equal((owner, name, revision), (model.Owner, model.Name, model.Revision));
        Assert.Equal(text, model.ToString());
    }

    // Names become folders: whatever could leave the cache, or be two names at once, is none.
    [Theory]
    [InlineData("")]
    [InlineData("sd-mini")]
    [InlineData("a/b/c")]
    [InlineData("/b")]
    [InlineData("a/")]
    [InlineData("../b")]
    [InlineData("./b")]
    [InlineData("a/..")]
    [InlineData("~/model")]
    [InlineData("a/b--c")]
    [InlineData("a\\b/c")]
    [InlineData("a b/c")]
    [InlineData("a/b@")]
    [InlineData("a/b@../../x")]
    [InlineData("a/b@/x")]
    [InlineData("a/b@x//y")]
    [InlineData("https://huggingface.co/a/b")]
    [InlineData("a/b\n")]
    public void TryParse_AnythingElse_IsNoName(string text)
    {
        Assert.False(ModelName.TryParse(text, out _));
        Assert.Contains("owner/name", Assert.Throws<ArgumentException>(() => ModelName.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void At_RevisionThatLeavesTheFolder_IsRefused() => Assert.Throws<ArgumentException>(() => ModelName.Parse("a/b").At("../x"));
}
