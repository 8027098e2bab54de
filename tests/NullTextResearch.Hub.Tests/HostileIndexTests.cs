using System.Text;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>Indices that no hub writes: each ends with a clear error, and nothing is downloaded.</summary>
public sealed class HostileIndexTests : HubTest
{
    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("1e400")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("17592186044417")]
    [InlineData("null")]
    [InlineData("\"12\"")]
    public async Task Index_SizeThatIsNone_IsRefused(string size)
    {
        string index = Hub.Index(),
            large = $"\"size\":{Hub.Files["unet/diffusion_pytorch_model.safetensors"].Length},\"pointerSize\"";
        Assert.Contains(large, index, StringComparison.Ordinal);
        Answer(index.Replace(large, $"\"size\":{size},\"pointerSize\"", StringComparison.Ordinal));
        HubException e = await FailsAsync(HubProblem.Server);
        Assert.Contains("lists a size of", e.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was downloaded", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hub.Requests, r => r.ByContentServer);
    }

    [Fact]
    public async Task Index_FileListedTwice_IsRefused()
    {
        string index = Hub.Index();
        int at = index.IndexOf("\"siblings\":[", StringComparison.Ordinal) + "\"siblings\":[".Length;
        Answer(index.Insert(at, "{\"rfilename\":\"README.md\",\"size\":1},"));
        Assert.Contains("lists the file README.md twice", (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_MoreFilesThanAnyModel_IsRefused()
    {
        Answer($"{{\"sha\":\"{FakeHub.Commit}\",\"siblings\":[{string.Join(',', Enumerable.Range(0, 100_001).Select(i => $"{{\"rfilename\":\"{i}\"}}"))}]}}");
        Assert.Contains("lists 100001 files", (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"sha\":\"a\",\"sha\":\"b\",\"siblings\":[]}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":\"\\ud800\"}]}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":{}}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[7]}")]
    [InlineData("{\"sha\":\"0123456789abcdef0123456789abcdef01234567\"}")]
    public async Task Index_OfWrongKinds_IsNoHubsAnswer(string index)
    {
        Answer(index);
        Assert.Contains("does not answer like a model hub", (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_NestedDeeply_IsNoHubsAnswer()
    {
        Answer(new string('[', 1_000_000));
        Assert.Contains("does not answer like a model hub", (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Index_ShardNumbersInOtherScripts_AreNoShards()
    {
        Hub.Files["unet/diffusion_pytorch_model-٠٠٠٠١-of-٠٠٠٠٢.safetensors"] = FakeHub.Noise(1, 2000);
        string snapshot = await PullAsync();
        Assert.DoesNotContain(FilesOf(snapshot), f => f.Contains("-of-", StringComparison.Ordinal));
        AssertContentsEqual(snapshot);
    }

    /// <summary>A byte now and then is no stall, and no download either.</summary>
    [Fact]
    public async Task Fetch_ServerThatDrips_IsGivenUp()
    {
        Hub.OnContent = async (context, _) =>
        {
            context.Response.ContentLength = 3 << 20;
            byte[] one = [1];
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(one);
                await context.Response.Body.FlushAsync();
                await Task.Delay(5);
            }

            return true;
        };
        HubException e = await FailsAsync(
            HubProblem.Connection,
            Options with
            {
                LeastBytes = 1_000_000,
                RateInterval = TimeSpan.FromMilliseconds(50),
                Retries = 1,
            }
        );
        Assert.Contains("bytes a second; at least 20000000 are needed", e.Message, StringComparison.Ordinal);
    }

    /// <summary>The index drips too.</summary>
    [Fact]
    public async Task Describe_ServerThatDrips_IsGivenUp()
    {
        Hub.OnIndex = async context =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(" ");
                await context.Response.Body.FlushAsync();
                await Task.Delay(5);
            }

            return true;
        };
        await FailsAsync(HubProblem.Connection, Options with { LeastBytes = 1_000_000, RateInterval = TimeSpan.FromMilliseconds(50), Retries = 1 });
    }

    private void Answer(string index) =>
        Hub.OnIndex = async context =>
        {
            await context.Response.WriteAsync(index, Encoding.UTF8);
            return true;
        };
}
