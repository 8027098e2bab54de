using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NetMQ.Sockets;
using NullTextResearch.Kernel.Wire;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Server;

/// <summary>The built program as a kernel, and a client that may send it anything.</summary>
internal sealed class KernelProcess : IDisposable
{
    // Catches a kernel that hangs; answers take a second at most.
    private static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(3);

    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-kernel-").FullName;
    private readonly WireProtocol _protocol = new("a key");
    private readonly Dictionary<Channel, DealerSocket> _sockets = [];
    private readonly DealerSocket _heartbeat = new();
    private readonly StringBuilder _log = new();
    private readonly Process _process;

    public KernelProcess(Action<ProcessStartInfo>? prepare = null)
    {
        Ports = FreePorts(5);
        string file = Path.Combine(_folder, "connection.json");
        File.WriteAllText(
            file,
            new JsonObject
            {
                ["transport"] = "tcp",
                ["ip"] = "127.0.0.1",
                ["key"] = "a key",
                ["signature_scheme"] = "hmac-sha256",
                ["shell_port"] = Ports[0],
                ["control_port"] = Ports[1],
                ["stdin_port"] = Ports[2],
                ["iopub_port"] = Ports[3],
                ["hb_port"] = Ports[4],
            }.ToJsonString()
        );
        ProcessStartInfo start = new("dotnet", [Path.Combine(AppContext.BaseDirectory, "nulltext.dll"), "kernel", file])
        {
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        start.Environment["NULLTEXT_THREADS"] = "1";
        start.Environment["TORCH_CPP_LOG_LEVEL"] = "ERROR";
        prepare?.Invoke(start);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_log)
                _log.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        (Channel Channel, int Port)[] channels = [(Channel.Shell, Ports[0]), (Channel.Control, Ports[1]), (Channel.Stdin, Ports[2])];
        foreach ((Channel channel, int port) in channels)
        {
            DealerSocket socket = new();
            // One client: the kernel asks for input where the cell came from.
            socket.Options.Identity = "client"u8.ToArray();
            socket.Options.Linger = TimeSpan.Zero;
            socket.Connect($"tcp://127.0.0.1:{port}");
            _sockets[channel] = socket;
        }

        _heartbeat.Options.Linger = TimeSpan.Zero;
        _heartbeat.Connect($"tcp://127.0.0.1:{Ports[4]}");
    }

    /// <summary>Shell, control, stdin, IOPub, heartbeat.</summary>
    public int[] Ports { get; }

    public bool IsAlive => !_process.HasExited;

    public int Answers { get; private set; }

    /// <summary>Standard error so far.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    public void Dispose()
    {
        foreach (DealerSocket socket in _sockets.Values)
            socket.Dispose();
        _heartbeat.Dispose();
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The four parts, signed, with the frames around them.</summary>
    public byte[][] Signed(byte[] header, byte[] content, byte[]? parent = null, byte[]? metadata = null)
    {
        byte[] empty = "{}"u8.ToArray();
        return
        [
            "<IDS|MSG>"u8.ToArray(),
            Encoding.ASCII.GetBytes(_protocol.Sign(header, parent ?? empty, metadata ?? empty, content)),
            header,
            parent ?? empty,
            metadata ?? empty,
            content,
        ];
    }

    /// <summary>A header as Jupyter writes it.</summary>
    public static byte[] Header(string type) =>
        Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["msg_id"] = Guid.NewGuid().ToString(),
                ["session"] = "s",
                ["username"] = "u",
                ["date"] = "2026-01-01T00:00:00Z",
                ["msg_type"] = type,
                ["version"] = "5.3",
            }.ToJsonString()
        );

    public void Send(Channel channel, IReadOnlyList<byte[]> frames)
    {
        if (frames.Count == 0)
            return;
        _sockets[channel].SendMultipartBytes(frames);
        NetMQMessage? got = null;
        while (_sockets[channel].TryReceiveMultipartMessage(ref got))
            Answers++;
    }

    public void SendHeartbeat(IReadOnlyList<byte[]> frames)
    {
        if (frames.Count > 0)
            _heartbeat.SendMultipartBytes(frames);
        NetMQMessage? got = null;
        while (_heartbeat.TryReceiveMultipartMessage(ref got))
            Answers++;
    }

    /// <summary>Sends a request and waits for its reply.</summary>
    public JsonObject Ask(Channel channel, string type, JsonObject content) => Ask(channel, Header(type), Encoding.UTF8.GetBytes(content.ToJsonString()));

    public JsonObject Ask(Channel channel, byte[] header, byte[] content)
    {
        Send(channel, Signed(header, content));
        return Reply(channel, header);
    }

    /// <summary>The value of a cell, through the clause for expressions, whose answer comes with the reply.</summary>
    public string Evaluate(string code)
    {
        JsonObject reply = Ask(
            Channel.Shell,
            "execute_request",
            new JsonObject
            {
                ["code"] = "",
                ["silent"] = true,
                ["user_expressions"] = new JsonObject { ["x"] = code },
            }
        );
        Assert.True(reply["status"]?.GetValue<string>() == "ok", reply.ToJsonString());
        return reply["user_expressions"]!["x"]!["data"]?["text/plain"]?.GetValue<string>() ?? reply.ToJsonString();
    }

    /// <summary>A cell asks for input and gets it.</summary>
    public string AskBack(string answer)
    {
        byte[] header = Header("execute_request");
        Send(Channel.Shell, Signed(header, """{"code":"var answered = Console.ReadLine();","allow_stdin":true}"""u8.ToArray()));
        while (true)
        {
            NetMQMessage? asked = null;
            Assert.True(_sockets[Channel.Stdin].TryReceiveMultipartMessage(Watchdog, ref asked), $"No question came.\n{Log}");
            // A question of an earlier, mutated cell has another parent.
            if (asked!.Any(f => f.ToByteArray().AsSpan().SequenceEqual(header)))
                break;
        }

        Send(Channel.Stdin, Signed(Header("input_reply"), Encoding.UTF8.GetBytes(new JsonObject { ["value"] = answer }.ToJsonString())));
        Assert.Equal("ok", Reply(Channel.Shell, header)["status"]?.GetValue<string>());
        return Evaluate("answered");
    }

    /// <summary>Sends a beat and waits until the same comes back.</summary>
    public bool Beats()
    {
        byte[] beat = Guid.NewGuid().ToByteArray();
        _heartbeat.SendMultipartBytes([], beat);
        while (true)
        {
            NetMQMessage? got = null;
            if (!_heartbeat.TryReceiveMultipartMessage(Watchdog, ref got))
                return false;
            if (got!.Last.ToByteArray().AsSpan().SequenceEqual(beat))
                return true;
        }
    }

    private JsonObject Reply(Channel channel, byte[] header)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            NetMQMessage? got = null;
            if (!_sockets[channel].TryReceiveMultipartMessage(TimeSpan.FromSeconds(1), ref got))
            {
                Assert.True(IsAlive, $"The kernel ended with code {(_process.HasExited ? _process.ExitCode : 0)}:\n{Log}");
                Assert.True(Stopwatch.GetElapsedTime(started) < Watchdog, $"No answer on {channel} to {Encoding.UTF8.GetString(header)}:\n{Log}");
                continue;
            }

            byte[][] frames = [.. got!.Select(f => f.ToByteArray())];
            int at = Array.FindIndex(frames, f => f.AsSpan().SequenceEqual("<IDS|MSG>"u8));
            if (at >= 0 && frames[at + 3].AsSpan().SequenceEqual(header))
                return (JsonObject)JsonNode.Parse(frames[at + 5])!;
            Answers++;
        }
    }

    private static int[] FreePorts(int count)
    {
        // Held until all are known, so that no two are the same.
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
            listener.Start();
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
            listener.Stop();
        return ports;
    }
}
