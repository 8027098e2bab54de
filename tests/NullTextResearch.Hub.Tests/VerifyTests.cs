using NullTextResearch.Cli.Running;
using NullTextResearch.Models;
using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>What is known about files that were here before, and only that, is said.</summary>
public sealed class VerifyTests : HubTest
{
    private const string Unet = "unet/diffusion_pytorch_model.safetensors";

    [Fact]
    public async Task Checked_SaysWhatWasDone()
    {
        using ModelPuller puller = new(Cache, Options);
        PullPlan first = await puller.PlanAsync(Model);
        Assert.Equal("11 downloaded now, checksums verified", PullReport.Checked(first));
        await puller.FetchAsync(first);
        PullPlan again = await puller.PlanAsync(Model);
        Assert.Equal("11 from the cache, only their sizes compared; --verify checks the checksums", PullReport.Checked(again));
        Assert.Equal("11 from the cache, checksums verified", PullReport.Checked(await puller.VerifyAsync(again)));
    }

    [Theory]
    [InlineData(Unet)]
    [InlineData("unet/config.json")]
    public async Task Verify_FourBytesChanged_AreFoundAndFetchedAnew(string damaged)
    {
        string snapshot = await PullAsync();
        Damage(Layout.Blob(Hub.HashOf(damaged)));
        using ModelPuller puller = new(Cache, Options);
        PullPlan plan = await puller.PlanAsync(Model);
        Assert.Empty(plan.Missing);
        plan = await puller.VerifyAsync(plan, new Listener(Notes));
        Assert.Equal(damaged, Assert.Single(plan.Missing).Path);
        Assert.Equal(Hub.Files[damaged].Length, plan.BytesToFetch);
        Assert.Contains(Notes, n => n.StartsWith($"{damaged} in the cache is damaged", StringComparison.Ordinal));
        Assert.Equal("1 downloaded now, checksums verified; 10 from the cache, checksums verified", PullReport.Checked(plan));
        await puller.FetchAsync(plan);
        AssertContentsEqual(snapshot);
    }

    [Fact]
    public async Task Verify_WithoutLinks_FindsDamageInTheSnapshot()
    {
        HubOptions options = Options with { Link = (_, _) => false };
        string snapshot = await PullAsync(options);
        Damage(Path.Combine(snapshot, Unet));
        using ModelPuller puller = new(Cache, options);
        PullPlan plan = await puller.VerifyAsync(await puller.PlanAsync(Model));
        await puller.FetchAsync(plan);
        Assert.Equal(Unet, Assert.Single(plan.Missing).Path);
        AssertContentsEqual(snapshot);
    }

    [Fact]
    public async Task VerifyOffline_ContentsNamedByTheirHash_AreJudged()
    {
        string snapshot = await PullAsync();
        File.WriteAllText(Path.Combine(snapshot, "mine.txt"), "of the user");
        Damage(Layout.Blob(Hub.HashOf(Unet)));
        (IReadOnlyList<string> right, IReadOnlyList<string> damaged, IReadOnlyList<string> unknown) = await ModelPuller.VerifyOfflineAsync(Cache, Model);
        Assert.Equal([Unet], damaged);
        Assert.Equal(["mine.txt"], unknown);
        Assert.Equal(10, right.Count);
    }

    [Fact]
    public async Task VerifyOffline_OfAModelThatIsNotHere_SaysSo() =>
        await Assert.ThrowsAsync<ModelNotFoundException>(() => ModelPuller.VerifyOfflineAsync(Cache, Model));

    private static void Damage(string path)
    {
        using FileStream file = File.OpenWrite(path);
        file.Write("oops"u8);
    }
}
