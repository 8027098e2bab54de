using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace NullTextResearch.Hosting;

/// <summary>
/// Local WebSockets, one per displayed element, for pages that cannot reach the kernel's own channels: outputs in JupyterLab and in .NET
/// Interactive. Starts to listen when the address of a service is first requested, on 127.0.0.1 only, under a path that cannot be guessed.
/// </summary>
public sealed class LiveServer : IDisposable
{
    private const int MostMessageBytes = 1 << 16,
        MostOpen = 64,
        FirstPort = 49152,
        PastLastPort = 65536,
        PortsTried = 50;

    private readonly Lock _gate = new();
    private readonly LiveServices _services;
    private readonly Func<LiveService, Task> _answer;
    private readonly ConcurrentDictionary<Element, LiveService> _open = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly string _token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
    private HttpListener? _listener;
    private Uri? _root;
    private bool _refused;

    /// <summary>Creates the server; no port is opened yet.</summary>
    /// <param name="services">The services that elements can reach.</param>
    /// <param name="answer">Called from any thread when a service has a message; must answer it and send the result with <see cref="Send"/>.</param>
    public LiveServer(LiveServices services, Func<LiveService, Task> answer) => (_services, _answer) = (services, answer);

    /// <summary>The address at which elements reach a service; null if no local port can be opened.</summary>
    public Uri? AddressOf(LiveService service)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_gate)
        {
            if (_root is null && !_refused && !_ended.IsCancellationRequested)
                Listen();
            return _root is null ? null : new Uri(_root, Uri.EscapeDataString(service.Id));
        }
    }

    /// <summary>Sends a JSON object to every element that has a service open; returns at once.</summary>
    public void Send(LiveService service, JsonObject data)
    {
        string? text = null;
        foreach ((Element element, LiveService of) in _open)
        {
            if (of == service)
                element.Send(text ??= data.ToJsonString());
        }
    }

    /// <summary>Closes all connections and the port.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_ended.IsCancellationRequested)
                return;
            _ended.Cancel();
            _listener?.Close();
            (_listener, _root) = (null, null);
        }
    }

    private void Listen()
    {
        for (int i = 0; i < PortsTried; i++)
        {
            int port = RandomNumberGenerator.GetInt32(FirstPort, PastLastPort);
            HttpListener listener = new();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/{_token}/");
            try
            {
                listener.Start();
            }
            catch (HttpListenerException)
            {
                // The port is in use.
                listener.Close();
                continue;
            }

            _listener = listener;
            _root = new Uri($"ws://127.0.0.1:{port}/{_token}/");
            _ = AcceptAsync(listener);
            return;
        }

        _refused = true;
    }

    private async Task AcceptAsync(HttpListener listener)
    {
        while (!_ended.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException && _ended.IsCancellationRequested)
            {
                return;
            }
            catch (HttpListenerException)
            {
                // One request failed; keep accepting others.
                continue;
            }

            _ = TakeAsync(context);
        }
    }

    private async Task TakeAsync(HttpListenerContext context)
    {
        LiveService? service = _services.Find(Uri.UnescapeDataString(context.Request.Url?.Segments[^1] ?? ""));
        if (service is null || !context.Request.IsWebSocketRequest || _open.Count >= MostOpen)
        {
            context.Response.StatusCode = (int)(
                service is null ? HttpStatusCode.NotFound
                : context.Request.IsWebSocketRequest ? HttpStatusCode.ServiceUnavailable
                : HttpStatusCode.BadRequest
            );
            context.Response.Close();
            return;
        }

        // Added before the page knows that it is connected: whatever is sent from now on waits for its socket.
        Element element = new();
        _open[element] = service;
        try
        {
            using WebSocket socket = (await context.AcceptWebSocketAsync(null).ConfigureAwait(false)).WebSocket;
            Task sending = element.SendAllAsync(socket, _ended.Token);
            bool understood = await ReceiveAsync(socket, service).ConfigureAwait(false);
            element.End();
            await sending.ConfigureAwait(false);
            if (understood)
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _ended.Token).ConfigureAwait(false);
            else
                await socket
                    .CloseOutputAsync(WebSocketCloseStatus.InvalidPayloadData, "A JSON object of at most 64 KB was expected.", _ended.Token)
                    .ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or HttpListenerException or IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The page is gone, or the kernel is shutting down.
        }
        finally
        {
            _open.TryRemove(element, out _);
        }
    }

    // Returns when the page closes the socket (true) or sends an invalid message (false).
    private async Task<bool> ReceiveAsync(WebSocket socket, LiveService service)
    {
        byte[] buffer = new byte[MostMessageBytes];
        int length = 0;
        while (true)
        {
            ValueWebSocketReceiveResult got = await socket.ReceiveAsync(buffer.AsMemory(length), _ended.Token).ConfigureAwait(false);
            length += got.Count;
            if (got.MessageType == WebSocketMessageType.Close)
                return true;
            if (!got.EndOfMessage && length < buffer.Length)
                continue;
            if (!got.EndOfMessage || Parse(buffer.AsSpan(0, length)) is not { } message)
                return false;

            length = 0;
            service.Post(message);
            // Not awaited: a newer message cancels the answer.
            _ = AnswerAsync(service);
        }
    }

    private async Task AnswerAsync(LiveService service)
    {
        try
        {
            await _answer(service).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // No cell is running that could show the error.
            Send(service, new JsonObject { ["ended"] = $"{e.GetType().Name}: {e.Message}" });
        }
    }

    private static JsonObject? Parse(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return JsonNode.Parse(utf8) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // A socket sends one message at a time; messages from all threads are queued here.
    private sealed class Element
    {
        private readonly Channel<string> _waiting = Channel.CreateUnbounded<string>();

        public void Send(string text) => _waiting.Writer.TryWrite(text);

        public void End() => _waiting.Writer.TryComplete();

        public async Task SendAllAsync(WebSocket socket, CancellationToken ended)
        {
            await foreach (string text in _waiting.Reader.ReadAllAsync(ended).ConfigureAwait(false))
            {
                if (socket.State == WebSocketState.Open)
                    await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, ended).ConfigureAwait(false);
            }
        }
    }
}
