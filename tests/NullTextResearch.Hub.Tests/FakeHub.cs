using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NullTextResearch.Models;
using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>A request that a server saw.</summary>
internal sealed record Seen(bool ByContentServer, string Path, string? Range, string? IfRange, string? Authorization);

/// <summary>
/// A model hub on this machine, as the public one behaves: an index with sizes and checksums, small files served at once,
/// large ones by a redirect to a content server on another port. Hooks make it misbehave.
/// </summary>
internal sealed class FakeHub : IAsyncDisposable
{
    public const string Id = "artist/tiny-diffusion";
    public const string Commit = "0123456789abcdef0123456789abcdef01234567";
    public const string Signature = "X-Signature=do-not-print";
    private readonly WebApplication _hub;
    private readonly WebApplication _content;

    private FakeHub(WebApplication hub, WebApplication content)
    {
        (_hub, _content) = (hub, content);
        hub.Run(context => HandleAsync(context, byContentServer: false));
        content.Run(context => HandleAsync(context, byContentServer: true));
    }

    public Uri Address { get; private set; } = null!;

    public Uri ContentAddress { get; private set; } = null!;

    /// <summary>Content by path.</summary>
    public Dictionary<string, byte[]> Files { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<Seen> Requests { get; } = new();

    /// <summary>Answers instead of the index, if it returns true.</summary>
    public Func<HttpContext, Task<bool>>? OnIndex { get; set; }

    /// <summary>Answers instead of the file server, if it returns true; given the file's path.</summary>
    public Func<HttpContext, string, Task<bool>>? OnFile { get; set; }

    /// <summary>Answers instead of the content server, if it returns true; given the file's path.</summary>
    public Func<HttpContext, string, Task<bool>>? OnContent { get; set; }

    public static async Task<FakeHub> StartAsync()
    {
        FakeHub hub = new(Build(), Build());
        hub.Address = await Listen(hub._hub);
        hub.ContentAddress = await Listen(hub._content);
        return hub;
    }

    /// <summary>A hub with one small model that has everything a real repository has, also what nobody needs.</summary>
    public static async Task<FakeHub> WithModelAsync(int weightBytes = 3 << 20)
    {
        FakeHub hub = await StartAsync();
        foreach (
            string path in (string[])
                [
                    "README.md",
                    "model_index.json",
                    "scheduler/scheduler_config.json",
                    "tokenizer/vocab.json",
                    "tokenizer/merges.txt",
                    "tokenizer/tokenizer_config.json",
                    "text_encoder/config.json",
                    "unet/config.json",
                    "vae/config.json",
                    "safety_checker/config.json",
                    "feature_extractor/preprocessor_config.json",
                ]
        )
        {
            hub.Files[path] = Encoding.UTF8.GetBytes($"{{\"file\": \"{path}\"}}\n");
        }

        int seed = 1;
        foreach (string path in (string[])["unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model", "safety_checker/model"])
        {
            hub.Files[path + ".safetensors"] = Noise(seed++, weightBytes);
            hub.Files[path + ".bin"] = Noise(seed++, 2000);
        }

        hub.Files["unet/diffusion_pytorch_model.fp16.safetensors"] = Noise(seed++, weightBytes / 2);
        hub.Files["text_encoder/model.fp16.safetensors"] = Noise(seed++, weightBytes / 2);
        hub.Files["unet/diffusion_flax_model.msgpack"] = Noise(seed++, 2000);
        hub.Files["unet/model.onnx"] = Noise(seed++, 2000);
        hub.Files["v1-5-pruned.safetensors"] = Noise(seed, 2000);
        return hub;
    }

    public static byte[] Noise(int seed, int bytes)
    {
        byte[] noise = new byte[bytes];
        new Random(seed).NextBytes(noise);
        return noise;
    }

    /// <summary>Whether the hub keeps a file as a large one.</summary>
    public bool IsLarge(string path) => Files[path].Length >= 1000;

    public string HashOf(string path)
    {
        byte[] content = Files[path];
        return IsLarge(path)
            ? Convert.ToHexStringLower(SHA256.HashData(content))
            : Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {content.Length}\0"), .. content]));
    }

    public IReadOnlyList<Seen> ContentRequests(string ending = "") =>
        [.. Requests.Where(r => r.ByContentServer && r.Path.EndsWith(ending, StringComparison.Ordinal))];

    /// <summary>Serves a content as a good server does, with ranges, then perhaps breaks the connection.</summary>
    /// <param name="context">Request and answer.</param>
    /// <param name="content">The whole content.</param>
    /// <param name="breakAfter">Bytes after which the connection breaks.</param>
    /// <param name="ignoreRange">Whether the whole is sent whatever was asked for.</param>
    public static async Task ServeAsync(HttpContext context, byte[] content, int? breakAfter = null, bool ignoreRange = false)
    {
        string tag = $"\"{Convert.ToHexStringLower(MD5.HashData(content))}\"";
        context.Response.Headers.ETag = tag;
        int from = 0;
        if (
            !ignoreRange
            && context.Request.Headers.Range.ToString() is { Length: > 0 } range
            && (context.Request.Headers.IfRange.Count == 0 || context.Request.Headers.IfRange == tag)
        )
        {
            from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            if (from >= content.Length)
            {
                context.Response.StatusCode = 416;
                return;
            }

            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - from;
        int most = Math.Min(content.Length - from, breakAfter ?? int.MaxValue);
        await context.Response.Body.WriteAsync(content.AsMemory(from, most));
        await context.Response.Body.FlushAsync();
        if (breakAfter is null)
            return;
        // What was sent should arrive before the break.
        await Task.Delay(50);
        context.Abort();
    }

    public static Task<bool> StatusAsync(HttpContext context, int status, params IReadOnlyList<(string Name, string Value)> headers)
    {
        context.Response.StatusCode = status;
        foreach ((string name, string value) in headers)
            context.Response.Headers[name] = value;
        return Task.FromResult(true);
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _content.DisposeAsync();
    }

    private static WebApplication Build()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder.Build();
    }

    private static async Task<Uri> Listen(WebApplication server)
    {
        await server.StartAsync();
        return new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    private async Task HandleAsync(HttpContext context, bool byContentServer)
    {
        string path = Uri.UnescapeDataString(context.Request.Path.Value!.TrimStart('/'));
        Requests.Enqueue(
            new Seen(
                byContentServer,
                path,
                Text(context.Request.Headers.Range),
                Text(context.Request.Headers.IfRange),
                Text(context.Request.Headers.Authorization)
            )
        );
        if (byContentServer)
        {
            if (OnContent is null || !await OnContent(context, path))
                await ServeAsync(context, Files[path]);
            return;
        }

        if (path.StartsWith("api/models/", StringComparison.Ordinal))
        {
            if (OnIndex is not null && await OnIndex(context))
                return;
            if (!path.StartsWith($"api/models/{Id}/revision/", StringComparison.Ordinal))
                await StatusAsync(context, 404, ("X-Error-Code", "RepoNotFound"));
            else
                await context.Response.WriteAsync(Index());
            return;
        }

        string file = path[$"{Id}/resolve/{Commit}/".Length..];
        if (OnFile is not null && await OnFile(context, file))
            return;
        if (IsLarge(file))
            context.Response.Redirect($"{ContentAddress}{file}?{Signature}");
        else
            await ServeAsync(context, Files[file]);
    }

    public string Index() =>
        JsonSerializer.Serialize(
            new
            {
                id = Id,
                sha = Commit,
                cardData = new { license = "creativeml\u001b[31m-openrail-m" },
                siblings = Files.Select(f =>
                    IsLarge(f.Key)
                        ? (object)
                            new
                            {
                                rfilename = f.Key,
                                size = f.Value.Length,
                                blobId = new string('0', 40),
                                lfs = new
                                {
                                    sha256 = HashOf(f.Key),
                                    size = f.Value.Length,
                                    pointerSize = 130,
                                },
                            }
                        : new
                        {
                            rfilename = f.Key,
                            size = f.Value.Length,
                            blobId = HashOf(f.Key),
                        }
                ),
            }
        );

    private static string? Text(Microsoft.Extensions.Primitives.StringValues value) => value.Count == 0 ? null : value.ToString();
}

/// <summary>A fake hub and an empty cache, for one test.</summary>
public abstract class HubTest : IAsyncLifetime
{
    internal const string Secret = "hf_SecretThatNobodyMaySee";

    internal FakeHub Hub { get; private set; } = null!;

    internal string Folder { get; } = Directory.CreateTempSubdirectory("nulltext-hub-").FullName;

    internal ModelCache Cache { get; private set; } = null!;

    internal List<string> Notes { get; } = [];

    internal ModelName Model { get; } = ModelName.Parse(FakeHub.Id);

    /// <summary>Quick, so that a test of repeats takes no minute.</summary>
    internal HubOptions Options =>
        new()
        {
            Endpoint = Hub.Address,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            Retries = 3,
            StallTimeout = TimeSpan.FromSeconds(10),
        };

    internal CacheFolder Layout => new(Cache.Root, Model);

    public async ValueTask InitializeAsync()
    {
        Hub = await FakeHub.WithModelAsync();
        Cache = new ModelCache(Path.Combine(Folder, "hub"));
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal async Task<string> PullAsync(
        HubOptions? options = null,
        string? variant = null,
        ModelName? model = null,
        IProgress<PullProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        using ModelPuller puller = new(Cache, options ?? Options);
        PullPlan plan = await puller.PlanAsync(model ?? Model, variant, progress ?? new Listener(Notes), cancellation);
        lock (Notes)
            Notes.AddRange(plan.Notes);
        return await puller.FetchAsync(plan, progress ?? new Listener(Notes), cancellation);
    }

    internal async Task<HubException> FailsAsync(HubProblem problem, HubOptions? options = null, string? variant = null)
    {
        HubException e = await Assert.ThrowsAnyAsync<HubException>(() => PullAsync(options, variant));
        Assert.Equal(problem, e.Problem);
        Assert.DoesNotContain(Secret, e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(FakeHub.Signature, e.ToString(), StringComparison.Ordinal);
        Assert.Null(Cache.Find(Model));
        return e;
    }

    /// <summary>The files of a snapshot, with '/'.</summary>
    internal static string[] FilesOf(string snapshot) =>
        [
            .. Directory
                .GetFiles(snapshot, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(snapshot, f).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];

    internal void AssertContentsEqual(string snapshot)
    {
        foreach (string file in FilesOf(snapshot))
            Assert.Equal(Hub.Files[file], File.ReadAllBytes(Path.Combine(snapshot, file)));
    }

    internal sealed class Listener(List<string> notes) : IProgress<PullProgress>
    {
        public void Report(PullProgress value)
        {
            if (value.Note is null)
                return;
            lock (notes)
                notes.Add(value.Note);
        }
    }
}
