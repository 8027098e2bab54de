using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>Servers and networks that misbehave.</summary>
public sealed class BadServerTests : HubTest
{
    private const string Unet = "unet/diffusion_pytorch_model.safetensors";

    [Fact]
    public async Task Fetch_ConnectionBreaksMidway_GoesOnWhereItWas()
    {
        BreakContent(Unet, after: (1 << 20) + 1000, times: 2);
        AssertContentsEqual(await PullAsync());
        IReadOnlyList<Seen> requests = Hub.ContentRequests(Unet);
        Assert.Equal(3, requests.Count);
        Assert.Null(requests[0].Range);
        Assert.Equal($"bytes={(1 << 20) + 1000}-", requests[1].Range);
        Assert.Equal($"bytes={2 * ((1 << 20) + 1000)}-", requests[2].Range);
        // The content must still be the one that was begun.
        Assert.NotNull(requests[1].IfRange);
        Assert.Contains(Notes, n => n.Contains($"Resuming {Unet} at 33%", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fetch_ServerIgnoresRanges_StartsOverAndIsRight()
    {
        BreakContent(Unet, after: 2 << 20, times: 1, ignoreRange: true);
        AssertContentsEqual(await PullAsync());
        Assert.Equal(2, Hub.ContentRequests(Unet).Count);
    }

    [Fact]
    public async Task Fetch_ServerIgnoresRangesAndAlwaysBreaks_ComesToAnEnd()
    {
        BreakContent(Unet, after: 2 << 20, times: int.MaxValue, ignoreRange: true);
        await FailsAsync(HubProblem.Connection);
        // The first, one that counted as getting further, and the repeats.
        Assert.InRange(Hub.ContentRequests(Unet).Count, 4, 6);
    }

    [Fact]
    public async Task Fetch_ServerDrips_ComesToAnEnd()
    {
        BreakContent(Unet, after: 100, times: int.MaxValue);
        HubException e = await FailsAsync(HubProblem.Connection);
        Assert.Contains("broke", e.Message, StringComparison.Ordinal);
        Assert.InRange(Hub.ContentRequests(Unet).Count, 4, 5);
    }

    [Fact]
    public async Task Fetch_ContentChangedSinceTheBreak_IfRangeBringsTheWholeAgain()
    {
        byte[] other = FakeHub.Noise(99, 3 << 20);
        int request = 0;
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet || request++ > 0)
                return false;
            await FakeHub.ServeAsync(context, other, breakAfter: 2 << 20);
            return true;
        };
        AssertContentsEqual(await PullAsync());
        Assert.Equal(2, Hub.ContentRequests(Unet).Count);
    }

    [Fact]
    public async Task Fetch_WrongContentOnce_FetchesAgain()
    {
        int request = 0;
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet || request++ > 0)
                return false;
            await FakeHub.ServeAsync(context, FakeHub.Noise(99, 3 << 20));
            return true;
        };
        AssertContentsEqual(await PullAsync());
        Assert.Contains(Notes, n => n.Contains("checksum differs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Unet, "SHA-256")]
    [InlineData("unet/config.json", "git hash")]
    public async Task Fetch_WrongContentAlways_IsThrownAway(string file, string kind)
    {
        byte[] wrong = [.. Hub.Files[file].Select(b => (byte)(b ^ 1))];
        async Task<bool> Lie(HttpContext context, string path)
        {
            if (path != file)
                return false;
            await FakeHub.ServeAsync(context, wrong);
            return true;
        }

        if (Hub.IsLarge(file))
            Hub.OnContent = Lie;
        else
            Hub.OnFile = Lie;
        HubException e = await FailsAsync(HubProblem.Damaged);
        Assert.Contains(file, e.Message, StringComparison.Ordinal);
        Assert.Contains($"expected {kind} {Hub.HashOf(file)}", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Layout.Blob(Hub.HashOf(file))));
        Assert.False(File.Exists(Layout.Unfinished(Hub.HashOf(file))));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData((3 << 20) - 1)]
    [InlineData((3 << 20) + 1)]
    public async Task Fetch_WrongLength_IsNotTaken(int length)
    {
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet)
                return false;
            await FakeHub.ServeAsync(context, FakeHub.Noise(1, length));
            return true;
        };
        HubException e = await FailsAsync(HubProblem.Server);
        Assert.Contains($"{length} bytes, but its index says {3 << 20}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_EndlessContentWithoutLength_IsCutOff()
    {
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet)
                return false;
            for (int i = 0; i < 5; i++)
                await context.Response.Body.WriteAsync(new byte[1 << 20], context.RequestAborted);
            return true;
        };
        HubException e = await FailsAsync(HubProblem.Server);
        Assert.Contains("more bytes than its index says", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_AnotherPartThanAskedFor_IsNotTaken()
    {
        int request = 0;
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet)
                return false;
            request++;
            if (request == 1)
            {
                await FakeHub.ServeAsync(context, Hub.Files[Unet], breakAfter: 1000);
            }
            else if (request == 2)
            {
                context.Response.StatusCode = 206;
                context.Response.Headers.ContentRange = $"bytes 0-{(3 << 20) - 1}/{3 << 20}";
                await context.Response.Body.WriteAsync(Hub.Files[Unet]);
            }
            else
            {
                return false;
            }

            return true;
        };
        AssertContentsEqual(await PullAsync());
        Assert.Equal(3, request);
    }

    [Fact]
    public async Task Fetch_ConnectionStalls_IsGivenUpAndTakenUpAgain()
    {
        int request = 0;
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet || request++ > 0)
                return false;
            context.Response.ContentLength = 3 << 20;
            await context.Response.Body.WriteAsync(Hub.Files[Unet].AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(30), context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                // The client has gone, as it should.
            }

            return true;
        };
        Stopwatch clock = Stopwatch.StartNew();
        AssertContentsEqual(await PullAsync(Options with { StallTimeout = TimeSpan.FromSeconds(1) }));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.9, 20);
        Assert.Equal("bytes=1000-", Hub.ContentRequests(Unet)[1].Range);
        Assert.Contains(Notes, n => n.Contains("nothing for 1 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fetch_RedirectToAnotherHost_DoesNotTakeTheTokenAlong()
    {
        AssertContentsEqual(await PullAsync(Options with { Token = new HubToken(Secret) }));
        Assert.All(Hub.Requests.Where(r => !r.ByContentServer), r => Assert.Equal($"Bearer {Secret}", r.Authorization));
        Assert.All(Hub.ContentRequests(), r => Assert.Null(r.Authorization));
        Assert.Equal(3, Hub.ContentRequests().Count);
        Assert.DoesNotContain(
            Directory.GetFiles(Folder, "*", SearchOption.AllDirectories),
            f => File.ReadAllText(f).Contains(Secret, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Plan_RedirectWithinTheHub_KeepsTheToken()
    {
        Hub.OnIndex = context =>
        {
            if (!context.Request.Path.Value!.Contains("old-name", StringComparison.Ordinal))
                return Task.FromResult(false);
            context.Response.Redirect($"/api/models/{FakeHub.Id}/revision/main?blobs=true");
            return Task.FromResult(true);
        };
        using ModelPuller puller = new(Cache, Options with { Token = new HubToken(Secret) });
        PullPlan plan = await puller.PlanAsync(Models.ModelName.Parse("artist/old-name"));
        Assert.Equal(FakeHub.Commit, plan.Commit);
        Assert.Equal([$"Bearer {Secret}", $"Bearer {Secret}"], Hub.Requests.Select(r => r.Authorization));
    }

    [Theory]
    [InlineData("file:///etc/passwd", "not safe to follow")]
    [InlineData("/api/models/artist/tiny-diffusion/revision/main", "in a loop")]
    public async Task Plan_BadRedirect_IsNotFollowed(string location, string words)
    {
        Hub.OnIndex = context => FakeHub.StatusAsync(context, 302, ("Location", location));
        Assert.Contains(words, (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "", false, HubProblem.Unauthorized, "set HF_TOKEN")]
    [InlineData(401, "RepoNotFound", false, HubProblem.Unauthorized, "does not exist")]
    [InlineData(401, "GatedRepo", false, HubProblem.Unauthorized, "terms")]
    [InlineData(401, "", true, HubProblem.Unauthorized, "does not accept the token")]
    [InlineData(401, "RepoNotFound", true, HubProblem.NotFound, "There is no model")]
    [InlineData(401, "GatedRepo", true, HubProblem.Unauthorized, "Accept the model's terms")]
    [InlineData(403, "GatedRepo", true, HubProblem.Forbidden, "Accept the model's terms")]
    [InlineData(403, "", false, HubProblem.Forbidden, "HF_TOKEN")]
    [InlineData(404, "RepoNotFound", false, HubProblem.NotFound, "There is no model artist/tiny-diffusion")]
    [InlineData(404, "RevisionNotFound", false, HubProblem.NotFound, "no revision main")]
    [InlineData(418, "", false, HubProblem.Server, "418")]
    public async Task Plan_Refusal_SaysWhatToDo(int status, string code, bool withToken, HubProblem problem, string words)
    {
        Hub.OnIndex = context => FakeHub.StatusAsync(context, status, [.. code.Length > 0 ? [("X-Error-Code", code)] : Array.Empty<(string, string)>()]);
        HubException e = await FailsAsync(problem, withToken ? Options with { Token = new HubToken(Secret) } : Options);
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.Contains(status.ToString(System.Globalization.CultureInfo.InvariantCulture), e.Message, StringComparison.Ordinal);
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task Plan_TooManyRequests_WaitsAsAsked()
    {
        int request = 0;
        Hub.OnIndex = context => request++ > 0 ? Task.FromResult(false) : FakeHub.StatusAsync(context, 429, ("Retry-After", "1"));
        Stopwatch clock = Stopwatch.StartNew();
        AssertContentsEqual(await PullAsync());
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.95, 30);
        Assert.Contains(Notes, n => n.Contains("429", StringComparison.Ordinal) && n.Contains("again in 1 s", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plan_TooManyRequestsInTheHubsOwnWords_WaitsAsAsked()
    {
        int request = 0;
        Hub.OnIndex = context => request++ > 0 ? Task.FromResult(false) : FakeHub.StatusAsync(context, 429, ("RateLimit", "\"api\";r=0;t=1"));
        Stopwatch clock = Stopwatch.StartNew();
        await PullAsync();
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.95, 30);
    }

    [Fact]
    public async Task Plan_TooManyRequestsForAnHour_EndsAtOnceAndSaysWhen()
    {
        Hub.OnIndex = context => FakeHub.StatusAsync(context, 429, ("Retry-After", "3600"));
        Assert.Contains("wait 60 minutes", (await FailsAsync(HubProblem.TooManyRequests)).Message, StringComparison.Ordinal);
        Assert.Single(Hub.Requests);
    }

    [Theory]
    [InlineData(429, HubProblem.TooManyRequests)]
    [InlineData(503, HubProblem.Server)]
    public async Task Plan_BusyForEver_ComesToAnEnd(int status, HubProblem problem)
    {
        Hub.OnIndex = context => FakeHub.StatusAsync(context, status);
        await FailsAsync(problem);
        Assert.Equal(1 + Options.Retries, Hub.Requests.Count);
    }

    [Fact]
    public async Task Fetch_SignedAddressRunsOut_AsksTheHubForANewOne()
    {
        int request = 0;
        Hub.OnContent = (context, file) => file == Unet && request++ == 0 ? FakeHub.StatusAsync(context, 403) : Task.FromResult(false);
        AssertContentsEqual(await PullAsync());
        Assert.Equal(2, Hub.Requests.Count(r => !r.ByContentServer && r.Path.EndsWith(Unet, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Plan_NobodyThere_SaysSoSoon()
    {
        TcpListener closed = new(IPAddress.Loopback, 0);
        closed.Start();
        int port = ((IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        HubException e = await FailsAsync(HubProblem.Offline, Options with { Endpoint = new Uri($"http://127.0.0.1:{port}") });
        Assert.Contains($"127.0.0.1:{port} cannot be reached", e.Message, StringComparison.Ordinal);
        Assert.Contains("network", e.Message, StringComparison.Ordinal);
        Assert.Single(Notes);
    }

    [Fact]
    public async Task Plan_OfflineWanted_AsksNobody()
    {
        Assert.Contains("HF_HUB_OFFLINE", (await FailsAsync(HubProblem.Offline, Options with { Offline = true })).Message, StringComparison.Ordinal);
        Assert.Empty(Hub.Requests);
    }

    [Theory]
    [InlineData("<html>Please log in to this hotel's network</html>")]
    [InlineData("{}")]
    [InlineData("""{"sha": "../../etc", "siblings": []}""")]
    public async Task Plan_NoHubAtAll_SaysSo(string answer)
    {
        Hub.OnIndex = async context =>
        {
            await context.Response.WriteAsync(answer);
            return true;
        };
        Assert.Contains("does not answer like a model hub", (await FailsAsync(HubProblem.Server)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_FilesWithoutChecksum_AreNotTrusted()
    {
        string index = Hub.Index().Replace(Hub.HashOf("unet/config.json"), "../../../evil", StringComparison.Ordinal);
        Hub.OnIndex = async context =>
        {
            await context.Response.WriteAsync(index);
            return true;
        };
        Assert.Contains("lacks unet/config.json", (await FailsAsync(HubProblem.Unsuitable)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_Cancelled_KeepsWhatIsThereAndGoesOn()
    {
        using CancellationTokenSource cancel = new();
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet || cancel.IsCancellationRequested)
                return false;
            context.Response.ContentLength = 3 << 20;
            context.Response.Headers.ETag = "\"something\"";
            await context.Response.Body.WriteAsync(Hub.Files[Unet].AsMemory(0, 2 << 20));
            await context.Response.Body.FlushAsync();
            // Until it has arrived.
            string unfinished = Layout.Unfinished(Hub.HashOf(Unet));
            while (!File.Exists(unfinished) || new FileInfo(unfinished).Length < 2 << 20)
                await Task.Delay(20);
            cancel.Cancel();
            return true;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync(cancellation: cancel.Token));
        Assert.Null(Cache.Find(Model));
        Assert.Equal(2 << 20, new FileInfo(Layout.Unfinished(Hub.HashOf(Unet))).Length);
        Hub.Requests.Clear();
        AssertContentsEqual(await PullAsync());
        Assert.Equal($"bytes={2 << 20}-", Hub.ContentRequests(Unet)[0].Range);
        Assert.Equal("\"something\"", Hub.ContentRequests(Unet)[0].IfRange);
    }

    [Fact]
    public async Task Fetch_UnfinishedFileOfPython_IsContinued()
    {
        Directory.CreateDirectory(Layout.Blobs);
        File.WriteAllBytes(Layout.Unfinished(Hub.HashOf(Unet)), Hub.Files[Unet][..2_000_000]);
        AssertContentsEqual(await PullAsync());
        Assert.Equal("bytes=2000000-", Assert.Single(Hub.ContentRequests(Unet)).Range);
    }

    [Fact]
    public async Task Fetch_UnfinishedFileIsRubbish_IsFoundOutAndReplaced()
    {
        Directory.CreateDirectory(Layout.Blobs);
        File.WriteAllBytes(Layout.Unfinished(Hub.HashOf(Unet)), new byte[2_000_000]);
        AssertContentsEqual(await PullAsync());
        Assert.Equal(["bytes=2000000-", null], Hub.ContentRequests(Unet).Select(r => r.Range));
    }

    private void BreakContent(string path, int after, int times, bool ignoreRange = false)
    {
        int request = 0;
        Hub.OnContent = async (context, file) =>
        {
            if (file != path)
                return false;
            await FakeHub.ServeAsync(context, Hub.Files[file], Interlocked.Increment(ref request) <= times ? after : null, ignoreRange);
            return true;
        };
    }
}
