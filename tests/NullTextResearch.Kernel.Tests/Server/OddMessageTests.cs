using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Wire;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Server;

/// <summary>Messages that no front end sends, with a valid signature: each is refused, and the session with its variables goes on.</summary>
public sealed class OddMessageTests(OddMessageTests.Running running) : IClassFixture<OddMessageTests.Running>
{
    // Type and a sound content for every handler of every channel; shutdown_request would do what it says.
    private static readonly (Channel Channel, string Type, string Content)[] Kinds =
    [
        (
            Channel.Shell,
            "execute_request",
            """{"code":"var odd = 1 + 1;","silent":false,"store_history":true,"user_expressions":{"a":"1"},"allow_stdin":false,"stop_on_error":false}"""
        ),
        (Channel.Shell, "complete_request", """{"code":"Console.Wri","cursor_pos":11}"""),
        (Channel.Shell, "inspect_request", """{"code":"Console.WriteLine","cursor_pos":9,"detail_level":0}"""),
        (Channel.Shell, "is_complete_request", """{"code":"if (true) {"}"""),
        (Channel.Shell, "history_request", """{"output":true,"raw":true,"hist_access_type":"search","n":3,"pattern":"*odd*","unique":true}"""),
        (Channel.Shell, "history_request", """{"output":false,"raw":true,"hist_access_type":"range","session":0,"start":0,"stop":5}"""),
        (Channel.Shell, "comm_info_request", """{"target_name":"jupyter.widget"}"""),
        (Channel.Shell, "comm_open", """{"comm_id":"c","target_name":"t","data":{"a":[1,2]}}"""),
        (Channel.Shell, "comm_msg", """{"comm_id":"c","data":{}}"""),
        (Channel.Shell, "comm_close", """{"comm_id":"c","data":{}}"""),
        (Channel.Shell, "kernel_info_request", "{}"),
        (Channel.Shell, "connect_request", "{}"),
        (Channel.Shell, "no_such_request", """{"a":1}"""),
        (Channel.Control, "kernel_info_request", "{}"),
        (Channel.Control, "interrupt_request", "{}"),
        (Channel.Control, "debug_request", """{"type":"request","command":"attach","seq":1,"arguments":{}}"""),
        (Channel.Control, "create_subshell_request", "{}"),
        (Channel.Stdin, "input_reply", """{"value":"x","status":"ok"}"""),
    ];

    private static readonly string[] DeepCode =
    [
        new('(', 100_000),
        new string('[', 50_000),
        string.Concat(Enumerable.Repeat("a<", 50_000)),
        string.Concat(Enumerable.Repeat("$\"{", 20_000)),
        "var x = a" + string.Concat(Enumerable.Repeat("?.b", 20_000)) + ";",
        "f" + string.Concat(Enumerable.Repeat("()", 20_000)) + ";",
        "int a; " + string.Concat(Enumerable.Repeat("a = ", 20_000)) + "1;",
        string.Concat(Enumerable.Repeat("await ", 20_000)) + "x;",
        "#if " + new string('(', 50_000) + "\n",
        "#if false\n/*\n#endif\n" + new string('(', 50_000),
        "\"\"\"x\n" + new string('(', 50_000),
        "_ = 1 is " + string.Concat(Enumerable.Repeat("{ A: ", 20_000)),
        new string('!', 50_000) + "true",
    ];

    /// <summary>The cases that were found, as they are, and others of their kinds.</summary>
    [Theory]
    [InlineData("""{"msg_type":"kernel_info_request","msg_type":"x"}""", "{}")]
    [InlineData("""{"msg_type":"\ud800"}""", "{}")]
    [InlineData("""{"msg_type":"input_reply","msg_type":"x"}""", "{}")]
    [InlineData("""{"msg_type":"input_reply"}""", """{"value":"\ud800"}""")]
    [InlineData("""{"msg_type":"input_reply"}""", """{"value":"1","value":"2"}""")]
    [InlineData("""{"msg_type":"debug_request"}""", """{"command":"x","command":"y"}""")]
    [InlineData("""{"msg_type":"execute_request"}""", "null")]
    [InlineData("""{"msg_type":"execute_request"}""", """{"code":7}""")]
    [InlineData("""{"msg_type":"execute_request"}""", """{"code":"1","user_expressions":{"a":"1","a":"2"}}""")]
    [InlineData("""{"msg_type":"complete_request"}""", """{"code":"Con","cursor_pos":-5}""")]
    [InlineData("""{"msg_type":"complete_request"}""", """{"code":"\"😀\"","cursor_pos":1e300}""")]
    [InlineData("""{"msg_type":"inspect_request"}""", """{"code":"\"😀\"","cursor_pos":2}""")]
    [InlineData("""{"msg_type":"comm_open"}""", """{"comm_id":{"a":[]}}""")]
    [InlineData("""{"msg_type":"history_request"}""", """{"hist_access_type":"tail","n":-99999999999}""")]
    [InlineData("""{"msg_type":""}""", "{}")]
    [InlineData("""{"msg_type":null}""", "{}")]
    [InlineData("[]", "[]")]
    [InlineData("", "")]
    public void Message_Odd_LeavesTheSession(string header, string content)
    {
        foreach (Channel channel in (Channel[])[Channel.Shell, Channel.Control, Channel.Stdin])
            running.Kernel.Send(channel, running.Kernel.Signed(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(content)));
        running.CheckSession();
    }

    [Fact]
    public void Message_InvalidUtf8_LeavesTheSession()
    {
        foreach (Channel channel in (Channel[])[Channel.Shell, Channel.Control, Channel.Stdin])
        {
            running.Kernel.Send(channel, running.Kernel.Signed([.. "{\"msg_type\":\""u8, 0xFF, .. "\"}"u8], "{}"u8.ToArray()));
            running.Kernel.Send(channel, running.Kernel.Signed(KernelProcess.Header("execute_request"), [.. "{\"code\":\""u8, 0xC0, .. "\"}"u8]));
        }

        running.CheckSession();
    }

    /// <summary>A request whose content is damaged is answered where the protocol has an answer, so that no front end waits for ever.</summary>
    [Theory]
    [InlineData("execute_request", """{"code":"1","code":"2"}""", "content: the name \"code\" appears twice (line 1, byte 13).")]
    [InlineData("complete_request", """{"code":"\udc00"}""", "content: a string is not valid text")]
    [InlineData("is_complete_request", "[1]", "content: an object was expected.")]
    [InlineData("inspect_request", "{}", "The message has no string 'code'.")]
    public void Request_WithDamagedContent_IsAnsweredWithAnError(string type, string content, string expected)
    {
        JsonObject reply = running.Kernel.Ask(Channel.Shell, KernelProcess.Header(type), Encoding.UTF8.GetBytes(content));
        Assert.Equal("error", reply["status"]?.GetValue<string>());
        Assert.StartsWith(expected, reply["evalue"]?.GetValue<string>(), StringComparison.Ordinal);
        running.CheckSession();
    }

    [Fact]
    public void Code_NestedTooDeeply_IsRefusedByEveryRequest()
    {
        foreach (string code in DeepCode)
        {
            Assert.Equal(
                "error",
                running
                    .Kernel.Ask(Channel.Shell, "execute_request", new JsonObject { ["code"] = code, ["stop_on_error"] = false })["status"]
                    ?.GetValue<string>()
            );
            Assert.Equal("invalid", running.Kernel.Ask(Channel.Shell, "is_complete_request", new JsonObject { ["code"] = code })["status"]?.GetValue<string>());
            Assert.Equal(
                "error",
                running.Kernel.Ask(Channel.Shell, "complete_request", new JsonObject { ["code"] = code, ["cursor_pos"] = 5 })["status"]?.GetValue<string>()
            );
            Assert.Equal(
                "error",
                running.Kernel.Ask(Channel.Shell, "inspect_request", new JsonObject { ["code"] = code, ["cursor_pos"] = 5 })["status"]?.GetValue<string>()
            );
        }

        running.CheckSession();
    }

    [Fact]
    public void Output_WithHalfASurrogatePair_IsSent()
    {
        JsonObject reply = running.Kernel.Ask(
            Channel.Shell,
            "execute_request",
            new JsonObject { ["code"] = "Console.WriteLine(\"\\ud800\"); display(\"\\udc00\"); throw new Exception(\"\\ud800\");", ["stop_on_error"] = false }
        );
        Assert.Equal("error", reply["status"]?.GetValue<string>());
        running.CheckSession();
    }

    [Fact]
    public void Fuzz_OfAllChannels_LeavesTheSession()
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("NULLTEXT_FUZZ_KERNEL"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? asked
            : 400;
        StringBuilder report = new();
        SortedDictionary<string, int> sent = new(StringComparer.Ordinal);
        for (int seed = 0; seed < count; seed++)
        {
            string kind = SendOne(seed);
            sent[kind] = sent.GetValueOrDefault(kind) + 1;
            // Messages that wait are not messages that were survived.
            if (seed % 100 == 99)
                running.CheckSession();
        }

        running.CheckSession();
        string[] log = running.Kernel.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        report.AppendLine(
            CultureInfo.InvariantCulture,
            $"{count} odd messages (seeds 0 to {count - 1}); the kernel lives, its variable is there, all five channels answer."
        );
        foreach ((string kind, int times) in sent)
            report.AppendLine(CultureInfo.InvariantCulture, $"{kind, -36} {times, 6}");
        report.AppendLine(
            CultureInfo.InvariantCulture,
            $"{"refused with a line on stderr", -36} {log.Count(l => l.Contains("message refused", StringComparison.Ordinal)), 6}"
        );
        report.AppendLine(CultureInfo.InvariantCulture, $"{"answers", -36} {running.Kernel.Answers, 6}");
        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        if (Environment.GetEnvironmentVariable("NULLTEXT_FUZZ_REPORT") is { Length: > 0 } path)
            File.WriteAllText(path, report.ToString());
        // A handler that something was thrown out of lives on, but did not judge its message.
        Assert.DoesNotContain(log, l => l.Contains(" failed: ", StringComparison.Ordinal));
        Assert.All(log.Where(l => !l.StartsWith("   ", StringComparison.Ordinal)), l => Assert.StartsWith("nulltext kernel: ", l, StringComparison.Ordinal));
    }

    private string SendOne(int seed)
    {
        Random random = new(seed);
        FileMutator mutator = new(seed);
        (Channel channel, string type, string content) = Kinds[random.Next(Kinds.Length)];
        byte[] header = KernelProcess.Header(type),
            body = Encoding.UTF8.GetBytes(content),
            empty = "{}"u8.ToArray();
        switch (random.Next(10))
        {
            case 0:
                running.Kernel.Send(channel, running.Kernel.Signed(mutator.Json(header).Bytes, body));
                return $"{channel}: damaged header";
            case 1 or 2 or 3 or 4:
                running.Kernel.Send(channel, running.Kernel.Signed(header, mutator.Json(body).Bytes));
                return $"{channel}: damaged content";
            case 5:
                running.Kernel.Send(channel, running.Kernel.Signed(header, body, mutator.Json(header).Bytes, mutator.Json("""{"a":[1,{"b":null}]}"""u8).Bytes));
                return $"{channel}: damaged parent, metadata";
            case 6:
                List<byte[]> frames = [.. running.Kernel.Signed(header, body, empty, empty)];
                for (int times = 1 + random.Next(3); times > 0 && frames.Count > 0; times--)
                {
                    if (random.Next(2) == 0)
                        frames.RemoveAt(random.Next(frames.Count));
                    else
                        frames.InsertRange(random.Next(frames.Count + 1), Enumerable.Repeat(new byte[random.Next(40)], random.Next(2) == 0 ? 1 : 150));
                }

                running.Kernel.Send(channel, frames);
                return $"{channel}: wrong frames";
            case 7:
                running.Kernel.SendHeartbeat([.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => new byte[random.Next(3) * random.Next(1000)])]);
                return "Heartbeat: odd beat";
            case 8:
                string code = DeepCode[random.Next(DeepCode.Length)];
                string request = ((string[])["execute_request", "complete_request", "inspect_request", "is_complete_request"])[random.Next(4)];
                running.Kernel.Send(
                    Channel.Shell,
                    running.Kernel.Signed(
                        KernelProcess.Header(request),
                        Encoding.UTF8.GetBytes(
                            new JsonObject
                            {
                                ["code"] = code,
                                ["cursor_pos"] = random.Next(-5, 50),
                                ["stop_on_error"] = false,
                            }.ToJsonString()
                        )
                    )
                );
                return "Shell: deep code";
            default:
                // What does not speak ZeroMQ at all.
                byte[] noise =
                    random.Next(2) == 0
                        ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray()
                        : [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0, .. new byte[random.Next(60)]];
                if (random.Next(2) == 0)
                    random.NextBytes(noise);
                using (TcpClient client = new("127.0.0.1", running.Kernel.Ports[random.Next(5)]))
                    client.GetStream().Write(noise);
                return "bytes that are no ZeroMQ";
        }
    }

    /// <summary>One kernel for all tests, with a variable that must stay.</summary>
    public sealed class Running : IDisposable
    {
        private int _checks;

        public Running()
        {
            Assert.Equal("ok", Kernel.Ask(Channel.Shell, "execute_request", new JsonObject { ["code"] = "var kept = 41;" })["status"]?.GetValue<string>());
        }

        internal KernelProcess Kernel { get; } = new();

        /// <summary>The process lives, the variable is there, and every channel answers.</summary>
        public void CheckSession()
        {
            Assert.True(Kernel.IsAlive, Kernel.Log);
            Assert.Equal("42", Kernel.Evaluate("kept + 1"));
            Assert.Equal("ok", Kernel.Ask(Channel.Control, "kernel_info_request", [])["status"]?.GetValue<string>());
            Assert.True(Kernel.Beats(), "The heartbeat is gone.");
            string text = $"answer {_checks++}";
            Assert.Equal(text, Kernel.AskBack(text).Trim('"'));
        }

        public void Dispose() => Kernel.Dispose();
    }
}

/// <summary>A kernel where nothing is as usual around it.</summary>
public sealed class OddEnvironmentTests
{
    /// <summary>No home, or one that nobody can write; the kernel itself needs neither.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("/proc/nowhere")]
    public void Kernel_WithoutAHomeThatCanBeWritten_Serves(string? home)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "HOME is Unix's.");
        using KernelProcess kernel = new(start =>
        {
            foreach (string variable in (string[])["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "JUPYTER_DATA_DIR", "HOME"])
                start.Environment.Remove(variable);
            if (home is not null)
                start.Environment["HOME"] = home;
        });
        Assert.Equal("10", kernel.Evaluate("TorchSharp.torch.arange(5).sum().item<long>()"));
        Assert.Equal("x", kernel.AskBack("x").Trim('"'));
    }

    /// <summary>The connection file lies where nothing can be written, and the kernel starts in such a folder too.</summary>
    [Fact]
    public void Kernel_InAFolderThatCannotBeWritten_Serves()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "A folder that not even root can write.");
        using KernelProcess kernel = new(start => start.WorkingDirectory = "/proc");
        Assert.Equal("3", kernel.Evaluate("1 + 2"));
    }
}
