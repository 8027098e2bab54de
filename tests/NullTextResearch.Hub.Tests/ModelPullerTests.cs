using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>What a download leaves behind when the server behaves.</summary>
public sealed class ModelPullerTests : HubTest
{
    private static readonly string[] Needed =
    [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "tokenizer/tokenizer_config.json",
        "tokenizer/vocab.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ];

    [Fact]
    public async Task Fetch_WholeModel_BringsWhatIsNeededAndNothingElse()
    {
        string snapshot = await PullAsync();
        Assert.Equal(Needed, FilesOf(snapshot));
        AssertContentsEqual(snapshot);
        Assert.Equal(snapshot, Cache.Find(Model));
        Assert.Equal(
            Needed,
            Hub.Requests.Where(r => !r.ByContentServer)
                .Skip(1)
                .Select(r => r.Path[$"{FakeHub.Id}/resolve/{FakeHub.Commit}/".Length..])
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Fetch_Layout_IsThatOfThePythonLibrary()
    {
        string snapshot = await PullAsync();
        string model = Path.Combine(Cache.Root, "models--artist--tiny-diffusion");
        Assert.Equal(Path.Combine(model, "snapshots", FakeHub.Commit), snapshot);
        Assert.Equal(FakeHub.Commit, File.ReadAllText(Path.Combine(model, "refs", "main")));
        Assert.Equal(
            Needed.Select(Hub.HashOf).Order(StringComparer.Ordinal),
            Directory.GetFiles(Path.Combine(model, "blobs")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal($"../../../blobs/{Hub.HashOf("unet/config.json")}", new FileInfo(Path.Combine(snapshot, "unet", "config.json")).LinkTarget);
        Assert.Equal($"../../blobs/{Hub.HashOf("model_index.json")}", new FileInfo(Path.Combine(snapshot, "model_index.json")).LinkTarget);
    }

    [Fact]
    public async Task Fetch_SecondTime_AsksForTheIndexOnly()
    {
        await PullAsync();
        Hub.Requests.Clear();
        await PullAsync();
        Assert.Equal($"api/models/{FakeHub.Id}/revision/main", Assert.Single(Hub.Requests).Path);
    }

    [Fact]
    public async Task Fetch_Variant_TakesItWhereItIsAndSaysWhereNot()
    {
        string snapshot = await PullAsync(variant: "fp16");
        Assert.Equal(
            ["text_encoder/model.fp16.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors"],
            FilesOf(snapshot).Where(f => f.EndsWith(".safetensors", StringComparison.Ordinal))
        );
        Assert.Equal("vae has no fp16 weights; using the default ones.", Assert.Single(Notes));
    }

    [Fact]
    public async Task Fetch_SecondVariant_JoinsTheFirst()
    {
        await PullAsync(variant: "fp16");
        Hub.Requests.Clear();
        string snapshot = await PullAsync();
        Assert.Equal(
            ["text_encoder/model.safetensors", "unet/diffusion_pytorch_model.safetensors"],
            Hub.ContentRequests().Select(r => r.Path).Order(StringComparer.Ordinal)
        );
        Assert.Equal(5, FilesOf(snapshot).Count(f => f.EndsWith(".safetensors", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Fetch_RevisionWithSlashes_IsFoundUnderItsName()
    {
        await PullAsync(model: Model.At("refs/pr/7"));
        Assert.Contains(Hub.Requests, r => r.Path.EndsWith("/revision/refs/pr/7", StringComparison.Ordinal));
        Assert.NotNull(Cache.Find(Model.At("refs/pr/7")));
        Assert.Null(Cache.Find(Model));
        Assert.NotNull(Cache.Find(Model.At(FakeHub.Commit)));
    }

    [Fact]
    public async Task Fetch_Progress_EndsAtAllBytesAndNeverExceedsThem()
    {
        List<PullProgress> reports = [];
        await PullAsync(progress: new Direct(reports.Add));
        long all = Needed.Sum(f => (long)Hub.Files[f].Length);
        Assert.All(reports, r => Assert.InRange(r.Bytes, 0, all));
        Assert.Equal(all, reports[^1].Bytes);
        Assert.Equal(all, reports[^1].Of);
    }

    [Fact]
    public async Task Fetch_NoLinksPossible_PutsTheFilesThemselvesIntoTheSnapshot()
    {
        HubOptions options = Options with { Link = (_, _) => false };
        string snapshot = await PullAsync(options);
        AssertContentsEqual(snapshot);
        Assert.Equal(Needed, FilesOf(snapshot));
        Assert.All(FilesOf(snapshot), f => Assert.Null(new FileInfo(Path.Combine(snapshot, f)).LinkTarget));
        Assert.Empty(Directory.GetFiles(Layout.Blobs));
        Hub.Requests.Clear();
        await PullAsync(options);
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task Fetch_NoLinksAndTwoEqualFiles_WritesBoth()
    {
        Hub.Files["vae/config.json"] = Hub.Files["unet/config.json"];
        AssertContentsEqual(await PullAsync(Options with { Link = (_, _) => false }));
    }

    [Fact]
    public async Task Fetch_DiskTooSmall_IsRefusedBeforeTheFirstFile()
    {
        HubException e = await FailsAsync(HubProblem.DiskFull, Options with { FreeSpace = _ => 70_000_000 });
        Assert.Contains("needs 0.01 GB more", e.Message, StringComparison.Ordinal);
        Assert.Contains("0.07 GB free; nothing was downloaded", e.Message, StringComparison.Ordinal);
        Assert.Contains("HF_HOME", e.Message, StringComparison.Ordinal);
        Assert.Single(Hub.Requests);
    }

    [Fact]
    public async Task Fetch_DiskFullMidway_SaysSoAndKeepsTheRest()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full");
        string unet = Layout.Unfinished(Hub.HashOf("unet/diffusion_pytorch_model.safetensors"));
        Directory.CreateDirectory(Layout.Blobs);
        File.CreateSymbolicLink(unet, "/dev/full");
        HubException e = await FailsAsync(HubProblem.DiskFull, Options with { Connections = 1 });
        Assert.Contains("The disk is full", e.Message, StringComparison.Ordinal);
        Assert.Contains("run the same command again", e.Message, StringComparison.Ordinal);
        // One request: a full disk is not a thing to try again.
        Assert.Single(Hub.ContentRequests("unet/diffusion_pytorch_model.safetensors"));
        File.Delete(unet);
        AssertContentsEqual(await PullAsync());
    }

    [Fact]
    public async Task Fetch_TwoAtOnce_FetchEachFileOnce()
    {
        Hub.OnContent = async (_, _) =>
        {
            await Task.Delay(300);
            return false;
        };
        string[] both = await Task.WhenAll(PullAsync(), PullAsync());
        Assert.Equal(both[0], both[1]);
        AssertContentsEqual(both[0]);
        Assert.Equal(3, Hub.ContentRequests().Count);
        Assert.Contains(Notes, n => n.Contains("Another process is fetching", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Remove_WhileDownloading_IsRefused()
    {
        TaskCompletionSource reached = new(),
            go = new();
        Hub.OnContent = async (_, _) =>
        {
            reached.TrySetResult();
            await go.Task;
            return false;
        };
        Task<string> pull = PullAsync();
        await reached.Task;
        IOException e = Assert.ThrowsAny<IOException>(() => Cache.Remove(Model));
        Assert.Contains("being downloaded", e.Message, StringComparison.Ordinal);
        go.SetResult();
        AssertContentsEqual(await pull);
        Assert.True(Cache.Remove(Model) > 9 << 20);
        Assert.Empty(Cache.List());
    }

    private sealed class Direct(Action<PullProgress> listener) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => listener(value);
    }
}
