using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using NetMQ;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Server;

/// <summary>
/// Serves a <see cref="CellEngine"/> over Jupyter's protocol 5.3. Shell requests are answered one after the other on one thread; control requests
/// (interrupt, shutdown) immediately on the sockets' thread.
/// </summary>
public sealed class JupyterKernel : IDisposable
{
    /// <summary>Exit code if a cell could be stopped only by ending the process.</summary>
    public const int ExitKilled = 137;

    // A search visits every cell of the session, and each expression is compiled. These limits are enough for any front end.
    private const int MostPattern = 1000;
    private const int MostExpressions = 100;

    // Stack size for the compiler's recursion; CodeNesting limits the depth of the code itself.
    private const int ShellStack = 16 << 20;

    // How long a forced stop of a cell may take.
    private static readonly TimeSpan ForceTime = TimeSpan.FromSeconds(3);

    private static readonly string ImplementationVersion = typeof(JupyterKernel).Assembly.GetName().Version?.ToString(3) ?? "0";

    private readonly ConnectionInfo _connection;
    private readonly WireProtocol _protocol;
    private readonly KernelSockets _sockets;
    private readonly CellEngine _engine;
    private readonly TextWriter _log;
    private readonly BlockingCollection<(long Number, Message Message)> _shell = [];
    private readonly BlockingCollection<(long Request, string Answer)> _answers = [];
    private readonly List<(int Count, string Code, string Result)> _history = [];
    private readonly LiveChannels _live = new();
    private readonly LiveServer _liveServer;
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _received;
    private long _abortUpTo;
    private long _question;

    // Number of questions that wait for an answer.
    private long _open;

    private JupyterKernel(ConnectionInfo connection, EngineOptions options, TextWriter log)
    {
        _connection = connection;
        _log = log;
        _protocol = new WireProtocol(connection.Key);
        _sockets = new KernelSockets(connection, _protocol);
        _sockets.Received += Receive;
        _sockets.Refused += reason => Log($"message refused: {reason}");
        _engine = new CellEngine(options);
        _liveServer = new LiveServer(LiveServices.Instance, service => AnswerAsync(service, null));
        LiveServices.Instance.Server = _liveServer;
    }

    /// <summary>Runs a kernel until it is shut down, its parent process exits, or a cell can be stopped only by ending the process.</summary>
    /// <param name="connectionFile">The path that Jupyter passes as {connection_file}.</param>
    /// <param name="options">Settings of the session.</param>
    /// <returns>Exit code. End the process with it (<see cref="Environment.Exit"/>): threads of cells may still run.</returns>
    /// <exception cref="ArgumentException">
    /// The connection file requires something that this kernel does not support, such as accepting connections from other machines.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static int Run(string connectionFile, EngineOptions? options = null)
    {
        // Read before the console is redirected to the cells: the kernel's own messages go to the server's log.
        TextWriter log = Console.Error;
        using JupyterKernel kernel = new(ConnectionInfo.Read(connectionFile), options ?? new EngineOptions(), log);
        return kernel.Serve();
    }

    /// <summary>Sends pending messages and closes the sockets.</summary>
    public void Dispose()
    {
        LiveServices.Instance.Server = null;
        _liveServer.Dispose();
        _engine.Dispose();
        _sockets.Dispose();
        _shell.CompleteAdding();
        NetMQConfig.Cleanup(block: true);
    }

    private int Serve()
    {
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(
            PosixSignal.SIGINT,
            signal =>
            {
                signal.Cancel = true;
                Interrupt();
            }
        );
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                _ended.TrySetResult(0);
            }
        );
        using Timer parent = new(_ => WatchParent(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        new Thread(ServeShell, ShellStack) { Name = "Jupyter shell", IsBackground = true }.Start();
        _sockets.Start();
        _sockets.Send(Channel.IoPub, _protocol.Create("status", new JsonObject { ["execution_state"] = "starting" }, null, [Encoding.UTF8.GetBytes("status")]));
        return _ended.Task.GetAwaiter().GetResult();
    }

    // An orphaned kernel would keep its memory, and the pipes of the process that started it, forever.
    private void WatchParent()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out int parent) || parent <= 1)
            return;
        try
        {
            using Process process = Process.GetProcessById(parent);
            if (process.HasExited)
                _ended.TrySetResult(0);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // No process has this id, or it exited during the query.
            _ended.TrySetResult(0);
        }
        catch (Win32Exception)
        {
            // The process exists but belongs to another user; nothing more can be found out.
        }
    }

    private void Log(string text)
    {
        try
        {
            _log.WriteLine($"nulltext kernel: {text}");
            _log.Flush();
        }
        catch (IOException)
        {
            // The reader of the log is gone; the session continues.
        }
    }

    // ---- on the sockets' thread ----

    private void Receive(Channel channel, Message message)
    {
        switch (channel)
        {
            case Channel.Shell:
                _live.Receive(message);
                _shell.Add((Interlocked.Increment(ref _received), message));
                break;
            case Channel.Control:
                Control(message);
                break;
            case Channel.Stdin:
                Answer(message);
                break;
        }
    }

    private void Answer(Message message)
    {
        string? wrong =
            message.Fault
            ?? (
                message.Type != "input_reply" ? "only input_reply is expected here"
                : Interlocked.Read(ref _open) == 0 ? "no cell asked for input"
                : message.Body["value"] is JsonValue given && given.TryGetValue(out string? _) ? null
                : "its value is not a string"
            );
        if (wrong is not null)
            Log($"message refused: Stdin: {message.Type}: {wrong}");
        // The latest question is the one that is open.
        else
            _answers.Add((Interlocked.Read(ref _question), Text(message.Body, "value")));
    }

    private void Control(Message request)
    {
        Status("busy", request);
        if (request.Fault is { } fault)
        {
            Fail(Channel.Control, request, "MessageRefused", fault);
            return;
        }

        switch (request.Type)
        {
            case "interrupt_request":
                Interrupt();
                Reply(Channel.Control, request, "interrupt_reply", Ok());
                break;
            case "shutdown_request":
                Shutdown(Channel.Control, request);
                return;
            case "kernel_info_request":
                Reply(Channel.Control, request, "kernel_info_reply", KernelInfo());
                break;
            case "debug_request":
                Reply(
                    Channel.Control,
                    request,
                    "debug_reply",
                    new JsonObject
                    {
                        ["type"] = "response",
                        ["success"] = false,
                        ["command"] = request.Body["command"]?.DeepClone(),
                        ["request_seq"] = request.Body["seq"]?.DeepClone(),
                        ["message"] = "This kernel has no debugger.",
                    }
                );
                break;
            default:
                // An unknown request still gets busy and idle.
                break;
        }

        Status("idle", request);
    }

    private void Interrupt()
    {
        object? cell = _engine.Running;
        switch (_engine.Interrupt())
        {
            case InterruptEffect.Forcing:
                // If even force does not end the code, the user gets a kernel back only by ending the process.
                _ = Task.Delay(ForceTime)
                    .ContinueWith(
                        _ =>
                        {
                            if (ReferenceEquals(cell, _engine.Running))
                                Kill();
                        },
                        TaskScheduler.Default
                    );
                break;
            case InterruptEffect.Hopeless:
                Kill();
                break;
        }
    }

    private void Kill()
    {
        Log("the cell could not be interrupted; the kernel exits.");
        _ended.TrySetResult(ExitKilled);
    }

    private void Shutdown(Channel channel, Message request)
    {
        bool restart = request.Body["restart"] is JsonValue value && value.TryGetValue(out bool asked) && asked;
        JsonObject reply = Ok();
        reply["restart"] = restart;
        Reply(channel, request, "shutdown_reply", reply);
        Status("idle", request);
        _ended.TrySetResult(0);
    }

    // ---- on the shell's thread ----

    private void ServeShell()
    {
        foreach ((long number, Message message) in _shell.GetConsumingEnumerable())
        {
            try
            {
                Serve(number, message);
            }
            catch (CellException e)
            {
                Fail(Channel.Shell, message, e.Name, e.Message);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // A request that fails inside the kernel must not end the session: the sender gets an error, and the log gets the stack trace.
                Log($"{message.Type} failed: {e}");
                Fail(Channel.Shell, message, e.GetType().Name, e.Message);
            }
        }
    }

    /// <summary>Answers a request that cannot be served: an error if the protocol has a reply for it, then idle.</summary>
    private void Fail(Channel channel, Message request, string name, string text)
    {
        Log($"message refused: {channel}: {request.Type}: {text}");
        const string Ending = "_request";
        if (request.Type.EndsWith(Ending, StringComparison.Ordinal))
        {
            JsonObject reply = new()
            {
                ["status"] = "error",
                ["ename"] = name,
                ["evalue"] = text,
                ["traceback"] = new JsonArray(text),
            };
            if (request.Type == "execute_request")
                reply["execution_count"] = _engine.ExecutionCount;
            Reply(channel, request, request.Type[..^Ending.Length] + "_reply", reply, ("status", "error"));
        }

        Status("idle", request);
    }

    private void Serve(long number, Message request)
    {
        Status("busy", request);
        if (request.Fault is { } fault)
            throw new CellException("MessageRefused", fault);
        JsonObject body = request.Body;
        switch (request.Type)
        {
            case "execute_request":
                Execute(number, request);
                break;
            case "kernel_info_request":
                Reply(Channel.Shell, request, "kernel_info_reply", KernelInfo());
                break;
            case "complete_request":
                Reply(Channel.Shell, request, "complete_reply", Complete(body));
                break;
            case "inspect_request":
                Reply(Channel.Shell, request, "inspect_reply", Inspect(body));
                break;
            case "is_complete_request":
                Reply(Channel.Shell, request, "is_complete_reply", IsComplete(body));
                break;
            case "history_request":
                Reply(Channel.Shell, request, "history_reply", History(body));
                break;
            case "comm_info_request":
                Reply(Channel.Shell, request, "comm_info_reply", With(Ok(), "comms", _live.Info()));
                break;
            case "connect_request":
                Reply(
                    Channel.Shell,
                    request,
                    "connect_reply",
                    new JsonObject
                    {
                        ["status"] = "ok",
                        ["shell_port"] = _connection.ShellPort,
                        ["iopub_port"] = _connection.IoPubPort,
                        ["stdin_port"] = _connection.StdinPort,
                        ["control_port"] = _connection.ControlPort,
                        ["hb_port"] = _connection.HeartbeatPort,
                    }
                );
                break;
            case "comm_open":
                // A comm of another target, such as widgets, or of an earlier session: the protocol rejects a comm by closing it.
                if (_live.Find(body) is null)
                    Publish("comm_close", new JsonObject { ["comm_id"] = body["comm_id"]?.DeepClone() ?? "", ["data"] = new JsonObject() }, request);
                break;
            case "comm_msg":
                Answer(_live.Find(body), request);
                break;
            case "comm_close":
                _live.Close(body);
                break;
            case "shutdown_request":
                Shutdown(Channel.Shell, request);
                return;
            default:
                // An unknown message gets only busy and idle.
                break;
        }

        Status("idle", request);
    }

    private void Execute(long number, Message request)
    {
        JsonObject body = request.Body;
        string code = Code(body);
        bool silent = Flag(body, "silent", false);
        bool store = Flag(body, "store_history", true) && !silent;
        bool stopOnError = Flag(body, "stop_on_error", true);
        if (number <= Interlocked.Read(ref _abortUpTo))
        {
            Reply(
                Channel.Shell,
                request,
                "execute_reply",
                new JsonObject { ["status"] = "aborted", ["execution_count"] = _engine.ExecutionCount },
                ("status", "aborted")
            );
            return;
        }

        if (!silent)
            Publish("execute_input", new JsonObject { ["code"] = code, ["execution_count"] = _engine.ExecutionCount + (store ? 1 : 0) }, request);
        CellRequest cell = new(code)
        {
            Silent = !store,
            Input = Flag(body, "allow_stdin", false) ? (prompt, hidden, cancel) => Ask(request, prompt, hidden, cancel) : null,
        };
        CellResult result = _engine
            .RunAsync(
                cell,
                output =>
                {
                    if (!silent)
                        Publish(output, request);
                }
            )
            .GetAwaiter()
            .GetResult();
        if (store)
            _history.Add((result.ExecutionCount, code, result.Result?.Data["text/plain"]?.ToString() ?? ""));
        if (result.Error is { } error)
        {
            // Requests received up to now must not run: they were sent on the assumption that this cell succeeds.
            if (stopOnError)
                Interlocked.Exchange(ref _abortUpTo, Interlocked.Read(ref _received));
            JsonObject failed = ErrorJson(error);
            failed["status"] = "error";
            failed["execution_count"] = result.ExecutionCount;
            failed["payload"] = new JsonArray();
            failed["user_expressions"] = new JsonObject();
            Reply(Channel.Shell, request, "execute_reply", failed, ("status", "error"));
            return;
        }

        Reply(
            Channel.Shell,
            request,
            "execute_reply",
            new JsonObject
            {
                ["status"] = "ok",
                ["execution_count"] = result.ExecutionCount,
                ["payload"] = new JsonArray(),
                ["user_expressions"] = Expressions(body),
            },
            ("status", "ok")
        );
    }

    private void Answer(LiveService? service, Message request)
    {
        if (service is not null)
            AnswerAsync(service, request).GetAwaiter().GetResult();
    }

    // Data goes to every element of the service, over comms and HTTP. The request is the comm message to answer; null for a request over HTTP.
    private Task AnswerAsync(LiveService service, Message? request)
    {
        return _engine.AnswerAsync(service, Send, output => Publish(output, request));

        void Send(JsonObject data)
        {
            _liveServer.Send(service, data);
            foreach (string comm in _live.Of(service))
                Publish("comm_msg", new JsonObject { ["comm_id"] = comm, ["data"] = data.DeepClone() }, request);
        }
    }

    private JsonObject Expressions(JsonObject body)
    {
        JsonObject values = [];
        JsonObject asked = body["user_expressions"] as JsonObject ?? [];
        if (asked.Count > MostExpressions)
            throw new CellException("MessageRefused", $"{asked.Count} user_expressions; a cell may have at most {MostExpressions}.");
        foreach ((string name, JsonNode? expression) in asked)
        {
            CellResult result = _engine
                .RunAsync(new CellRequest(expression?.ToString() ?? "") { Silent = true, Name = name }, _ => { })
                .GetAwaiter()
                .GetResult();
            values[name] = result.Error is { } error
                ? With(ErrorJson(error), "status", "error")
                : new JsonObject
                {
                    ["status"] = "ok",
                    ["data"] = result.Result?.Data.DeepClone() ?? new JsonObject(),
                    ["metadata"] = new JsonObject(),
                };
        }

        return values;
    }

    // Runs on the cell's thread.
    private string Ask(Message request, string prompt, bool hidden, CancellationToken cancel)
    {
        long question = Interlocked.Increment(ref _question);
        Interlocked.Increment(ref _open);
        try
        {
            return Ask(question, request, prompt, hidden, cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private string Ask(long question, Message request, string prompt, bool hidden, CancellationToken cancel)
    {
        _sockets.Send(
            Channel.Stdin,
            _protocol.Create("input_request", new JsonObject { ["prompt"] = prompt, ["password"] = hidden }, request, request.Identities)
        );
        while (true)
        {
            (long answered, string answer) = _answers.Take(cancel);
            // Ignore a late answer to an abandoned question.
            if (answered == question)
                return answer;
        }
    }

    private JsonObject Complete(JsonObject body)
    {
        string code = Code(body);
        Completions found = _engine.CompleteAsync(code, CodePoints.ToUtf16(code, Number(body, "cursor_pos", int.MaxValue))).GetAwaiter().GetResult();
        int start = CodePoints.FromUtf16(code, found.Start),
            end = CodePoints.FromUtf16(code, found.End);
        JsonArray matches = [],
            types = [];
        foreach (Completion item in found.Items)
        {
            matches.Add(item.Text);
            types.Add(
                new JsonObject
                {
                    ["text"] = item.Text,
                    ["type"] = item.Kind,
                    ["start"] = start,
                    ["end"] = end,
                }
            );
        }

        return new JsonObject
        {
            ["status"] = "ok",
            ["matches"] = matches,
            ["cursor_start"] = start,
            ["cursor_end"] = end,
            ["metadata"] = new JsonObject { ["_jupyter_types_experimental"] = types },
        };
    }

    private JsonObject Inspect(JsonObject body)
    {
        string code = Code(body);
        string? text = _engine.InspectAsync(code, CodePoints.ToUtf16(code, Number(body, "cursor_pos", int.MaxValue))).GetAwaiter().GetResult();
        return new JsonObject
        {
            ["status"] = "ok",
            ["found"] = text is not null,
            ["data"] = text is null ? new JsonObject() : new JsonObject { ["text/plain"] = text },
            ["metadata"] = new JsonObject(),
        };
    }

    private JsonObject IsComplete(JsonObject body)
    {
        Completeness answer = _engine.IsCompleteAsync(Code(body)).GetAwaiter().GetResult();
        JsonObject reply = new() { ["status"] = answer.Status };
        if (answer.Status == "incomplete")
            reply["indent"] = answer.Indent;
        return reply;
    }

    private JsonObject History(JsonObject body)
    {
        bool withOutput = Flag(body, "output", false);
        int most = Number(body, "n", int.MaxValue);
        IEnumerable<(int Count, string Code, string Result)> found = _history;
        switch (Text(body, "hist_access_type"))
        {
            case "range":
                int start = Number(body, "start", 0),
                    stop = Number(body, "stop", int.MaxValue);
                // Earlier sessions are not kept. Both 0 and 1, its own number, mean this session.
                found = Number(body, "session", 0) is 0 or 1 ? found.Where(h => h.Count >= start && h.Count < stop) : [];
                break;
            case "search":
                string pattern = Text(body, "pattern");
                if (pattern.Length > MostPattern)
                    throw new CellException("MessageRefused", $"The pattern has {pattern.Length} characters; at most {MostPattern} are allowed.");
                found = found.Where(h => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, h.Code, ignoreCase: false));
                if (Flag(body, "unique", false))
                    found = found.Reverse().DistinctBy(h => h.Code).Reverse();
                found = found.TakeLast(most);
                break;
            default:
                found = found.TakeLast(most);
                break;
        }

        JsonArray history = [];
        foreach ((int count, string code, string result) in found)
            history.Add((JsonNode)new JsonArray(1, count, withOutput ? new JsonArray(code, result) : JsonValue.Create(code)));
        return With(Ok(), "history", history);
    }

    private static JsonObject KernelInfo() =>
        new()
        {
            ["status"] = "ok",
            ["protocol_version"] = WireProtocol.Version,
            ["implementation"] = "nulltext",
            ["implementation_version"] = ImplementationVersion,
            ["language_info"] = new JsonObject
            {
                ["name"] = "C#",
                ["version"] = "14.0",
                ["mimetype"] = "text/x-csharp",
                ["file_extension"] = ".cs",
                ["pygments_lexer"] = "csharp",
                ["codemirror_mode"] = "text/x-csharp",
            },
            ["banner"] = $"NullTextResearch {ImplementationVersion}: C# 14 on .NET {Environment.Version}. #!lsmagic lists the directives.",
            ["help_links"] = new JsonArray(new JsonObject { ["text"] = "C# language reference", ["url"] = "https://learn.microsoft.com/dotnet/csharp/" }),
        };

    // ---- sending ----

    private void Publish(CellOutput output, Message? request)
    {
        switch (output)
        {
            case StreamOutput stream:
                Publish("stream", new JsonObject { ["name"] = stream.IsError ? "stderr" : "stdout", ["text"] = stream.Text }, request);
                break;
            case DisplayOutput display:
                Publish(
                    display.IsUpdate ? "update_display_data" : "display_data",
                    new JsonObject
                    {
                        ["data"] = display.Data.DeepClone(),
                        ["metadata"] = display.Metadata.DeepClone(),
                        ["transient"] = new JsonObject { ["display_id"] = display.DisplayId },
                    },
                    request
                );
                break;
            case ResultOutput result:
                Publish(
                    "execute_result",
                    new JsonObject
                    {
                        ["execution_count"] = result.ExecutionCount,
                        ["data"] = result.Data.DeepClone(),
                        ["metadata"] = result.Metadata.DeepClone(),
                    },
                    request
                );
                break;
            case ErrorOutput error:
                Publish("error", ErrorJson(error), request);
                break;
            case ClearOutput clear:
                Publish("clear_output", new JsonObject { ["wait"] = clear.Wait }, request);
                break;
        }
    }

    private void Status(string state, Message parent) => Publish("status", new JsonObject { ["execution_state"] = state }, parent);

    private void Publish(string type, JsonObject content, Message? parent) =>
        _sockets.Send(Channel.IoPub, _protocol.Create(type, content, parent, [Encoding.UTF8.GetBytes($"kernel.{_protocol.Session}.{type}")]));

    private void Reply(Channel channel, Message request, string type, JsonObject content, params IReadOnlyList<(string Name, string Value)> metadata)
    {
        JsonObject about = [];
        foreach ((string name, string value) in metadata)
            about[name] = value;
        _sockets.Send(channel, _protocol.Create(type, content, request, request.Identities, about));
    }

    private static JsonObject ErrorJson(ErrorOutput error)
    {
        JsonArray traceback = [];
        foreach (string line in error.Traceback)
            traceback.Add(line);
        return new JsonObject
        {
            ["ename"] = error.Name,
            ["evalue"] = error.Message,
            ["traceback"] = traceback,
        };
    }

    private static JsonObject Ok() => new() { ["status"] = "ok" };

    private static JsonObject With(JsonObject json, string name, JsonNode value)
    {
        json[name] = value;
        return json;
    }

    private static string Code(JsonObject body) =>
        body["code"] is JsonValue value && value.TryGetValue(out string? text)
            ? text
            : throw new CellException("MessageRefused", "The message has no string 'code'.");

    private static string Text(JsonObject body, string name) => body[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private static bool Flag(JsonObject body, string name, bool otherwise) =>
        body[name] is JsonValue value && value.TryGetValue(out bool flag) ? flag : otherwise;

    private static int Number(JsonObject body, string name, int otherwise) =>
        body[name] is JsonValue value && value.TryGetValue(out int number) ? number : otherwise;
}
