using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
using Xunit;

namespace NullTextResearch.Kernel.Tests;

/// <summary>The kernel's own sockets, for pages that have no channel to it.</summary>
public sealed class LiveServerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly LiveServices _services = new();
    private readonly LiveServer _server;

    public LiveServerTests()
    {
        // One answer at a time, as a kernel has it.
        SemaphoreSlim turn = new(1);
        _server = new LiveServer(
            _services,
            service =>
                Task.Run(async () =>
                {
                    await turn.WaitAsync();
                    try
                    {
                        service.Answer(data => _server!.Send(service, data), CancellationToken.None);
                    }
                    finally
                    {
                        turn.Release();
                    }
                })
        );
        _services.Server = _server;
    }

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Message_Answered_ReachesEveryElementOfTheService()
    {
        LiveService echo = _services.Add("echo", (message, send, _) => send(new JsonObject { ["heard"] = message["n"]!.DeepClone() }));
        Assert.Equal("127.0.0.1", echo.Address!.Host);
        using Page first = await Page.Open(echo.Address),
            second = await Page.Open(echo.Address);
        await first.Ask(new JsonObject { ["n"] = 5 });
        Assert.Equal((5, 5), ((int)(await first.Hear())!["heard"]!, (int)(await second.Hear())!["heard"]!));
    }

    [Fact]
    public async Task Messages_WhileOneIsAnswered_StopItAndTheNewestIsAnswered()
    {
        ConcurrentQueue<int> begun = [];
        using SemaphoreSlim slow = new(0);
        LiveService service = _services.Add(
            "slow",
            (message, send, superseded) =>
            {
                int n = (int)message["n"]!;
                begun.Enqueue(n);
                slow.Release();
                if (n == 0)
                    superseded.WaitHandle.WaitOne(Patience);
                superseded.ThrowIfCancellationRequested();
                send(new JsonObject { ["done"] = n });
            }
        );
        using Page page = await Page.Open(service.Address!);
        await page.Ask(new JsonObject { ["n"] = 0 });
        Assert.True(await slow.WaitAsync(Patience, TestContext.Current.CancellationToken));
        for (int n = 1; n <= 200; n++)
            await page.Ask(new JsonObject { ["n"] = n });
        int last;
        do last = (int)(await page.Hear())!["done"]!;
        while (last != 200);
        Assert.True(begun.Count < 200, $"{begun.Count} of 201 were begun");
    }

    [Fact]
    public async Task Answer_Throws_IsSaidToTheElement()
    {
        LiveService service = _services.Add("bad", (_, _, _) => throw new InvalidOperationException("no such place"));
        using Page page = await Page.Open(service.Address!);
        await page.Ask([]);
        Assert.Equal("InvalidOperationException: no such place", (string?)(await page.Hear())!["ended"]);
    }

    [Theory]
    [InlineData("[1, 2]")]
    [InlineData("{")]
    [InlineData(null)]
    public async Task Message_NoObjectOrTooLong_ClosesTheSocketAndReachesNobody(string? text)
    {
        int called = 0;
        LiveService service = _services.Add("strict", (_, _, _) => called++);
        using Page page = await Page.Open(service.Address!);
        await page.Send(text ?? $"{{\"at\": \"{new string('x', 1 << 17)}\"}}");
        Assert.Null(await page.Hear());
        Assert.Equal(0, called);
        using Page next = await Page.Open(service.Address!);
    }

    [Fact]
    public async Task Open_UnknownServiceOrPath_IsRefused()
    {
        LiveService service = _services.Add("here", (_, _, _) => { });
        Uri address = service.Address!;
        using HttpClient http = new() { Timeout = Patience };
        // .NET's listener answers 200 at times to what follows a path of nobody's on one connection.
        http.DefaultRequestHeaders.ConnectionClose = true;
        foreach (string path in (string[])["/here", $"/{new string('0', 32)}/here", $"{address.AbsolutePath}x"])
            Assert.Equal(
                HttpStatusCode.NotFound,
                (await http.GetAsync(new Uri($"http://{address.Authority}{path}"), TestContext.Current.CancellationToken)).StatusCode
            );
        // A plain request is no socket.
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await http.GetAsync(new Uri($"http://{address.Authority}{address.AbsolutePath}"), TestContext.Current.CancellationToken)).StatusCode
        );
        service.Dispose();
        await Assert.ThrowsAsync<WebSocketException>(() => Page.Open(address));
    }

    [Fact]
    public async Task Dispose_OpenElements_AreClosed_AndNothingListens()
    {
        LiveService service = _services.Add("here", (_, _, _) => { });
        Uri address = service.Address!;
        using Page page = await Page.Open(address);
        _server.Dispose();
        Assert.Null(await page.Hear());
        Assert.Null(service.Address);
        await Assert.ThrowsAsync<WebSocketException>(() => Page.Open(address));
    }

    private sealed class Page(ClientWebSocket socket) : IDisposable
    {
        public static async Task<Page> Open(Uri address)
        {
            ClientWebSocket socket = new();
            using CancellationTokenSource patience = new(Patience);
            await socket.ConnectAsync(address, patience.Token);
            return new Page(socket);
        }

        public Task Ask(JsonObject message) => Send(message.ToJsonString());

        public async Task Send(string text) =>
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);

        /// <summary>The next message, or null where the socket was closed.</summary>
        public async Task<JsonObject?> Hear()
        {
            using CancellationTokenSource patience = new(Patience);
            byte[] buffer = new byte[1 << 16];
            try
            {
                WebSocketReceiveResult got = await socket.ReceiveAsync(buffer, patience.Token);
                return got.MessageType == WebSocketMessageType.Close ? null : JsonNode.Parse(buffer.AsSpan(0, got.Count))!.AsObject();
            }
            catch (WebSocketException)
            {
                return null;
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
