using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Server;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// Another Jupyter kernel as a child process. All members may be called from any thread. Pieces of code run one after the other. If the kernel ends, for
/// whatever reason, its variables are lost but ours are kept; the next piece of code restarts it.
/// </summary>
/// <example>
/// <code>
/// using JupyterConnection python = await JupyterConnection.StartAsync("python3", new JupyterOptions(), cancel);
/// JupyterResult result = await python.RunAsync(new JupyterCell("1 + 1") { Count = 3 }, output => ..., cancel);
/// await python.SetAsync("x", tensor, cancel);
/// </code>
/// </example>
internal sealed partial class JupyterConnection : IDisposable
{
    // Longest wait between the reply and idle, in either order. ipykernel loses a reply if an interrupt arrives while it is being made.
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);

    // Wait for output that the system still holds when a kernel has died.
    private static readonly TimeSpan Echo = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan Probe = TimeSpan.FromMilliseconds(500);

    private readonly JupyterSpec _spec;
    private readonly JupyterOptions _options;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Exchange> _exchanges = new(StringComparer.Ordinal);
    private readonly BlockingCollection<(Session Session, Channel Channel, Message Message)> _incoming = [];
    private readonly Thread _pump;
    private Session? _session;
    private CancellationTokenSource? _starting;
    private Exchange? _running;
    private Exchange? _previous;

    // How the kernel ended, until this is reported to the user.
    private string? _untold;
    private volatile bool _disposed;

    private JupyterConnection(JupyterSpec spec, JupyterOptions options)
    {
        _spec = spec;
        _options = options;
        _pump = new Thread(Pump) { Name = "Jupyter outputs", IsBackground = true };
        _pump.UnsafeStart();
    }

    /// <summary>The kernel's display name, such as Python 3 (ipykernel).</summary>
    public string DisplayName => _spec.DisplayName;

    /// <summary>Its language in lower case, as the kernel reports it, such as python.</summary>
    public string Language { get; private set; } = "";

    /// <summary>Its language's version; empty if the kernel does not report it.</summary>
    public string LanguageVersion { get; private set; } = "";

    /// <summary>Whether the kernel runs. If not, the next code starts it.</summary>
    public bool IsAlive => _session is { Process.IsAlive: true };

    /// <summary>Its process id, or null if it does not run.</summary>
    public int? ProcessId => _session is { Process.IsAlive: true } session ? session.Process.Id : null;

    private bool IsPython => Language == "python";

    /// <summary>Starts a kernel and waits until it answers.</summary>
    /// <param name="spec">Name of the kernel, such as python3.</param>
    /// <param name="options">Settings.</param>
    /// <param name="cancel">Cancels the start.</param>
    /// <exception cref="CellException">There is no such kernel, or it does not start; the error includes its output.</exception>
    /// <exception cref="OperationCanceledException">The start was cancelled.</exception>
    public static Task<JupyterConnection> StartAsync(string spec, JupyterOptions options, CancellationToken cancel) =>
        StartAsync(JupyterSpec.Find(spec), options, cancel);

    /// <summary>Same, for a kernel that was already found.</summary>
    public static async Task<JupyterConnection> StartAsync(JupyterSpec spec, JupyterOptions options, CancellationToken cancel)
    {
        JupyterConnection connection = new(spec, options);
        try
        {
            await connection.LiveAsync(null, cancel).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs code.</summary>
    /// <param name="cell">The code.</param>
    /// <param name="output">
    /// Receives all output in order, on a thread of ours, including what threads of the code write after it ended. Does not receive its error.
    /// </param>
    /// <param name="cancel">Acts like a first <see cref="Interrupt"/>.</param>
    /// <exception cref="CellException">The kernel had ended and does not start again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before the code began.</exception>
    public async Task<JupyterResult> RunAsync(JupyterCell cell, Action<CellOutput> output, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            Session session = await LiveAsync(output, cancel).ConfigureAwait(false);
            // No wait is needed: the kernel runs this before the code.
            if (IsPython && cell.Count is { } count)
                session.Sockets.Send(
                    Channel.Shell,
                    session.Protocol.Create(
                        "execute_request",
                        Execution(string.Create(CultureInfo.InvariantCulture, $"__import__('_nulltext').number({count})"), silent: true),
                        null
                    )
                );
            Exchange exchange = new(output, cell.Count, cell.Input, isSilent: false);
            JsonObject content = Execution(cell.Code, silent: false);
            content["allow_stdin"] = cell.Input is not null;
            JsonObject? reply = await ExecuteAsync(session, exchange, content, cancel).ConfigureAwait(false);
            exchange.Fault?.Throw();
            return Result(session, exchange, reply);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Stops the running code in its kernel's own way: Python raises KeyboardInterrupt. A second call, later than <see cref="JupyterOptions.Impatience"/>,
    /// ends the kernel: its variables are lost, ours are kept.
    /// </summary>
    public InterruptEffect Interrupt()
    {
        Session? session;
        lock (_gate)
        {
            // Asynchronously: callbacks must not run under the lock.
            _ = _starting?.CancelAsync();
            if (_running is not { } exchange || _session is null)
                return _starting is null ? InterruptEffect.NothingRuns : InterruptEffect.Stopping;
            session = _session;
            long now = Environment.TickCount64;
            exchange.IsInterrupted = true;
            if (exchange.InterruptedAt is not { } since)
            {
                exchange.InterruptedAt = now;
                exchange.StopAsking();
                _ = FollowUpAsync(session, exchange);
            }
            else if (now - since > _options.Impatience.TotalMilliseconds)
            {
                exchange.IsKilled = true;
            }

            // Before the code has begun, the kernel would not notice the signal; it is then sent when the code begins.
            if (!exchange.IsKilled)
            {
                if (exchange.HasBegun)
                    Signal(session);
                return InterruptEffect.Stopping;
            }
        }

        session.Process.Kill();
        return InterruptEffect.Forcing;
    }

    /// <summary>Completions at a position; none while code runs, or if the kernel takes too long.</summary>
    /// <param name="code">The kernel's part of a cell.</param>
    /// <param name="position">In UTF-16 units.</param>
    /// <param name="cancel">Cancels the query.</param>
    public async Task<Completions> CompleteAsync(string code, int position, CancellationToken cancel)
    {
        JsonObject? reply = await QueryAsync(
                "complete_request",
                new JsonObject { ["code"] = code, ["cursor_pos"] = CodePoints.FromUtf16(code, position) },
                cancel
            )
            .ConfigureAwait(false);
        if (reply?["matches"] is not JsonArray { Count: > 0 } matches)
            return new Completions(position, position, []);
        int start = CodePoints.ToUtf16(code, Number(reply, "cursor_start", 0)),
            end = CodePoints.ToUtf16(code, Number(reply, "cursor_end", 0));
        Dictionary<string, string> kinds = [];
        // All kernels that report the kinds of their candidates do it this way.
        foreach (JsonObject typed in (reply["metadata"]?["_jupyter_types_experimental"] as JsonArray ?? []).OfType<JsonObject>())
            kinds[Text(typed, "text")] = Text(typed, "type");
        return new Completions(
            start,
            end,
            [
                .. matches
                    .Select(m => m is JsonValue value && value.TryGetValue(out string? text) ? text : "")
                    .Where(t => t.Length > 0)
                    .Select(t => new Completion(t, kinds.GetValueOrDefault(t, ""))),
            ]
        );
    }

    /// <summary>What the kernel knows about the name at a position, as text with ANSI colours; null if nothing.</summary>
    /// <param name="code">The kernel's part of a cell.</param>
    /// <param name="position">In UTF-16 units.</param>
    /// <param name="cancel">Cancels the query.</param>
    public async Task<string?> InspectAsync(string code, int position, CancellationToken cancel)
    {
        JsonObject? reply = await QueryAsync(
                "inspect_request",
                new JsonObject
                {
                    ["code"] = code,
                    ["cursor_pos"] = CodePoints.FromUtf16(code, position),
                    ["detail_level"] = 0,
                },
                cancel
            )
            .ConfigureAwait(false);
        return reply?["data"] is JsonObject data && Text(data, "text/plain") is { Length: > 0 } text ? text : null;
    }

    /// <summary>Whether a console should run the code or ask for more; complete if the kernel does not know.</summary>
    public async Task<Completeness> IsCompleteAsync(string code, CancellationToken cancel)
    {
        JsonObject? reply = await QueryAsync("is_complete_request", new JsonObject { ["code"] = code }, cancel).ConfigureAwait(false);
        string status = reply is null ? "" : Text(reply, "status");
        return status is "incomplete" or "invalid" ? new Completeness(status, Text(reply!, "indent")) : new Completeness("complete", "");
    }

    /// <summary>Ends the kernel, whatever it is doing, and starts it again; its variables are lost.</summary>
    /// <exception cref="CellException">It does not start.</exception>
    public async Task RestartAsync(CancellationToken cancel)
    {
        _session?.Process.Kill();
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            End(kill: true);
            _untold = null;
            await LiveAsync(null, cancel).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the kernel: asks it to shut down first, then kills it.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Interrupt();
        End(kill: false);
        _incoming.CompleteAdding();
        if (Thread.CurrentThread != _pump)
            _pump.Join();
    }

    // ---- lifetime ----

    /// <summary>The running kernel, started if there is none. Call it only while holding the turn.</summary>
    private async Task<Session> LiveAsync(Action<CellOutput>? output, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_session is { } session)
        {
            if (session.Process.IsAlive)
                return session;
            _untold ??= session.Process.Ending;
            End(kill: true);
        }

        using CancellationTokenSource starting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        lock (_gate)
            _starting = starting;
        try
        {
            session = await StartAsync(starting.Token).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                _starting = null;
        }

        // If nobody receives output now, the next cell reports it.
        if (_untold is { } ending && output is not null)
        {
            _untold = null;
            output(new StreamOutput(true, $"{DisplayName} had ended ({ending}) and was restarted; its variables are gone.\n"));
        }

        return session;
    }

    private async Task<Session> StartAsync(CancellationToken cancel)
    {
        const int Attempts = 3;
        for (int attempt = 1; ; attempt++)
        {
            JupyterProcess process = JupyterProcess.Start(_spec);
            Session session = new(process, this);
            _session = session;
            try
            {
                using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                limit.CancelAfter(_options.StartLimit);
                JsonObject info = await ReadyAsync(session, limit.Token).ConfigureAwait(false);
                process.Forget();
                JsonObject language = info["language_info"] as JsonObject ?? [];
                Language = Text(language, "name").ToLowerInvariant();
                LanguageVersion = Text(language, "version");
                if (IsPython)
                    await SendBridgeAsync(session, limit.Token).ConfigureAwait(false);
                return session;
            }
            catch (KernelEndedException) when (attempt < Attempts && process.LastWords.Contains("Address already in use", StringComparison.OrdinalIgnoreCase))
            {
                // Another program took one of the ports first.
                End(kill: true);
            }
            catch (KernelEndedException)
            {
                string ending = process.Ending,
                    words = process.LastWords;
                End(kill: true);
                string advice = words.Contains("No module named", StringComparison.Ordinal)
                    ? " Install ipykernel for the Python that the kernel uses: apt install python3-ipykernel, or pip install ipykernel."
                    : "";
                throw new CellException("KernelStartError", $"{DisplayName} ended while starting: {ending}.{advice}", Said(words));
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                string words = process.LastWords;
                End(kill: true);
                throw new CellException(
                    "KernelStartError",
                    string.Create(CultureInfo.InvariantCulture, $"{DisplayName} did not answer within {_options.StartLimit.TotalSeconds:0} s of its start."),
                    Said(words)
                );
            }
            catch
            {
                End(kill: true);
                throw;
            }
        }
    }

    /// <summary>Asks until an answer and outputs arrive: a subscriber that joins late misses everything sent before.</summary>
    private async Task<JsonObject> ReadyAsync(Session session, CancellationToken cancel)
    {
        JsonObject? info = null;
        while (true)
        {
            Exchange exchange = new(null, null, null, isSilent: true);
            Task<JsonObject> reply = Send(session, exchange, "kernel_info_request", []);
            try
            {
                Task both = Task.WhenAll(reply, exchange.Idle.Task);
                await Task.WhenAny(both, session.Process.Ended, Task.Delay(Probe, cancel)).ConfigureAwait(false);
                cancel.ThrowIfCancellationRequested();
                if (!session.Process.IsAlive)
                {
                    // Its last output is still being read.
                    await Task.Delay(Echo, CancellationToken.None).ConfigureAwait(false);
                    throw new KernelEndedException();
                }

                if (reply.IsCompletedSuccessfully)
                    info ??= await reply.ConfigureAwait(false);
                // Idle for any of the requests shows that outputs arrive.
                if (info is not null && session.IsHeard)
                    return info;
            }
            finally
            {
                _exchanges.TryRemove(exchange.Id, out _);
            }
        }
    }

    private void End(bool kill)
    {
        Session? session;
        lock (_gate)
        {
            session = _session;
            _session = null;
        }

        if (session is null)
            return;
        if (!kill && session.Process.IsAlive)
        {
            session.Sockets.Send(Channel.Control, session.Protocol.Create("shutdown_request", new JsonObject { ["restart"] = false }, null));
            session.Process.Ended.Wait(_options.Farewell);
        }

        session.Process.Dispose();
        session.Sockets.Dispose();
    }

    private static string[] Said(string words) =>
        words.Length == 0 ? ["It printed nothing."] : ["It printed:", .. words.Split('\n').TakeLast(20).Select(l => $"  {l}")];

    // ---- requests ----

    private static JsonObject Execution(string code, bool silent) =>
        new()
        {
            ["code"] = code,
            ["silent"] = silent,
            ["store_history"] = !silent,
            ["user_expressions"] = new JsonObject(),
            ["allow_stdin"] = false,
            // Nothing is queued ahead, so nothing needs to be aborted.
            ["stop_on_error"] = false,
        };

    private Task<JsonObject> Send(Session session, Exchange exchange, string type, JsonObject content)
    {
        Message message = session.Protocol.Create(type, content, null);
        exchange.Id = IdOf(message.Header);
        _exchanges[exchange.Id] = exchange;
        session.Sockets.Send(Channel.Shell, message);
        return exchange.Reply.Task;
    }

    /// <summary>Runs code and waits for its reply. Null if none came: the kernel ended, or an interrupt lost the reply.</summary>
    private async Task<JsonObject?> ExecuteAsync(Session session, Exchange exchange, JsonObject content, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        lock (_gate)
            _running = exchange;
        try
        {
            Task<JsonObject> reply = Send(session, exchange, "execute_request", content);
            using CancellationTokenRegistration stop = cancel.UnsafeRegister(_ => Interrupt(), null);
            await Task.WhenAny(reply, exchange.Idle.Task, session.Process.Ended).ConfigureAwait(false);
            if (!session.Process.Ended.IsCompleted)
                await Task.WhenAny(Task.WhenAll(reply, exchange.Idle.Task), session.Process.Ended, Task.Delay(Late, CancellationToken.None))
                    .ConfigureAwait(false);
            if (session.Process.Ended.IsCompleted)
                await Task.WhenAny(exchange.Idle.Task, Task.Delay(Echo, CancellationToken.None)).ConfigureAwait(false);
            return reply.IsCompletedSuccessfully ? await reply.ConfigureAwait(false) : null;
        }
        finally
        {
            lock (_gate)
            {
                _running = null;
                exchange.StopAsking();
            }

            // Threads of the code may still write, so the last exchange is kept; the one before it is dropped.
            if (_previous is { } previous)
                _exchanges.TryRemove(previous.Id, out _);
            _previous = exchange;
        }
    }

    private async Task<JsonObject?> QueryAsync(string type, JsonObject content, CancellationToken cancel)
    {
        if (!await _turn.WaitAsync(TimeSpan.Zero, cancel).ConfigureAwait(false))
            return null;
        try
        {
            if (_session is not { Process.IsAlive: true } session)
                return null;
            Exchange exchange = new(null, null, null, isSilent: true);
            Task<JsonObject> reply = Send(session, exchange, type, content);
            try
            {
                await Task.WhenAny(reply, session.Process.Ended, Task.Delay(_options.QueryLimit, cancel)).ConfigureAwait(false);
                return reply.IsCompletedSuccessfully && Text(await reply.ConfigureAwait(false), "status") != "error" ? await reply.ConfigureAwait(false) : null;
            }
            finally
            {
                _exchanges.TryRemove(exchange.Id, out _);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private JupyterResult Result(Session session, Exchange exchange, JsonObject? reply)
    {
        if (reply is null)
        {
            if (!session.Process.Ended.IsCompleted)
                return new JupyterResult(CellStatus.Interrupted, Failure("Interrupted", "the cell was stopped", []));
            string ending = session.Process.Ending,
                words = session.Process.LastWords;
            // The error below tells the user.
            End(kill: true);
            return exchange.IsKilled
                ? new JupyterResult(
                    CellStatus.Interrupted,
                    Failure(
                        "KernelRestarted",
                        $"the code did not stop, so {DisplayName} was ended. It restarts with its next cell; its variables are gone, those of other "
                            + "languages are kept.",
                        []
                    )
                )
                : new JupyterResult(
                    CellStatus.Error,
                    Failure(
                        "KernelDied",
                        $"{DisplayName} ended while the cell ran: {ending}. It restarts with its next cell; its variables are gone, those of other "
                            + "languages are kept.",
                        Said(words)
                    )
                );
        }

        switch (Text(reply, "status"))
        {
            case "ok":
                // The code ran to its end, even if somebody tried to stop it.
                return new JupyterResult(CellStatus.Ok, null);
            case "aborted":
                return new JupyterResult(
                    CellStatus.Interrupted,
                    Failure("Interrupted", $"{DisplayName} did not run the code: it drops waiting code after an error or a stop. Run the cell again.", [])
                );
            default:
                ErrorOutput error = exchange.Error ?? ErrorOf(reply);
                return new JupyterResult(exchange.IsInterrupted ? CellStatus.Interrupted : CellStatus.Error, error);
        }

        static ErrorOutput Failure(string name, string message, IReadOnlyList<string> details) => Traceback.Of(new CellException(name, message, details));
    }

    // ---- interrupts ----

    private void Signal(Session session)
    {
        // If the system has no signals, the message is worth a try; a second interrupt ends the kernel anyway.
        if (_spec.InterruptsByMessage || !session.Process.Interrupt())
            session.Sockets.Send(Channel.Control, session.Protocol.Create("interrupt_request", [], null));
        // ipykernel notices a signal during an await only when its event loop wakes up; any message does that.
        else
            session.Sockets.Send(Channel.Shell, session.Protocol.Create("comm_info_request", new JsonObject { ["target_name"] = "nulltext" }, null));
    }

    private async Task FollowUpAsync(Session session, Exchange exchange)
    {
        if (exchange.IsSilent)
        {
            // Our own code in the kernel, with nothing to clean up. Signal repeatedly: the first signal may have come before it listened.
            TimeSpan again = TimeSpan.FromMilliseconds(300);
            await Task.Delay(again).ConfigureAwait(false);
            while (IsRunning())
            {
                Signal(session);
                await Task.Delay(again).ConfigureAwait(false);
            }

            return;
        }

        await Task.Delay(_options.Patience).ConfigureAwait(false);
        if (IsRunning())
            exchange.Put(
                new StreamOutput(
                    true,
                    $"The code has not stopped yet. Interrupt it again to end {DisplayName}: its variables will be lost, those of other languages "
                        + "will not.\n"
                )
            );

        bool IsRunning()
        {
            lock (_gate)
                return ReferenceEquals(_running, exchange);
        }
    }

    // ---- incoming messages ----

    private void Receive(Session session, Channel channel, Message message)
    {
        if (!_incoming.IsAddingCompleted)
            _incoming.Add((session, channel, message));
    }

    private void Pump()
    {
        foreach ((Session session, Channel channel, Message message) in _incoming.GetConsumingEnumerable())
        {
            if (!_exchanges.TryGetValue(ParentOf(message), out Exchange? exchange))
                continue;
            switch (channel)
            {
                case Channel.Shell:
                    exchange.Reply.TrySetResult(
                        message.Fault is { } fault
                            ? new JsonObject
                            {
                                ["status"] = "error",
                                ["ename"] = "MessageRefused",
                                ["evalue"] = fault,
                            }
                            : message.Body
                    );
                    break;
                case Channel.Stdin when message.Type == "input_request":
                    Answer(session, exchange, message);
                    break;
                case Channel.IoPub:
                    session.IsHeard = true;
                    Publish(session, exchange, message);
                    break;
            }
        }
    }

    private void Publish(Session session, Exchange exchange, Message message)
    {
        if (message.Fault is { } fault)
        {
            exchange.Put(new StreamOutput(true, $"An output of {DisplayName} was dropped: {fault}\n"));
            return;
        }

        JsonObject body = message.Body;
        switch (message.Type)
        {
            case "status":
                if (Text(body, "execution_state") == "idle")
                    exchange.Idle.TrySetResult();
                else if (exchange.IsSilent && Text(body, "execution_state") == "busy")
                    Begin();
                break;
            case "execute_input":
                Begin();
                break;
            case "stream":
                exchange.Put(new StreamOutput(Text(body, "name") == "stderr", Text(body, "text")));
                break;
            case "display_data" or "update_display_data":
                string id = body["transient"] is JsonObject transient ? Text(transient, "display_id") : "";
                exchange.Put(
                    new DisplayOutput(
                        Bundle(body),
                        Part(body, "metadata"),
                        id.Length > 0 ? id : Guid.NewGuid().ToString(),
                        message.Type == "update_display_data"
                    )
                );
                break;
            case "execute_result":
                exchange.Put(
                    exchange.Count is { } count
                        ? new ResultOutput(count, Bundle(body), Part(body, "metadata"))
                        : new DisplayOutput(Bundle(body), Part(body, "metadata"), Guid.NewGuid().ToString(), false)
                );
                break;
            case "clear_output":
                exchange.Put(new ClearOutput(body["wait"] is JsonValue value && value.TryGetValue(out bool wait) && wait));
                break;
            case "error":
                exchange.Error = ErrorOf(body);
                break;
            default:
                // Comm messages: widgets concern only that kernel and its own front end. Their text is shown as an output.
                break;
        }

        void Begin()
        {
            lock (_gate)
            {
                exchange.HasBegun = true;
                if (exchange.IsInterrupted && ReferenceEquals(_running, exchange))
                    Signal(session);
            }
        }
    }

    private void Answer(Session session, Exchange exchange, Message question)
    {
        if (exchange.Input is not { } input || exchange.Asking is not { } asking)
            return;
        string prompt = Text(question.Body, "prompt");
        bool hidden = question.Body["password"] is JsonValue value && value.TryGetValue(out bool flag) && flag;
        // On another thread: it waits for a person.
        _ = Task.Run(() =>
        {
            try
            {
                string answer = input(prompt, hidden, asking.Token);
                session.Sockets.Send(Channel.Stdin, session.Protocol.Create("input_reply", new JsonObject { ["status"] = "ok", ["value"] = answer }, question));
            }
            catch (OperationCanceledException) when (exchange.IsInterrupted || asking.IsCancellationRequested)
            {
                // The interrupt itself ends the kernel's wait.
            }
            catch (Exception e)
            {
                // Rethrown to the caller that waits for the cell; the kernel must not wait for an answer.
                exchange.Fault ??= ExceptionDispatchInfo.Capture(e);
                Interrupt();
            }
        });
    }

    private static JsonObject Bundle(JsonObject body)
    {
        JsonObject data = Part(body, "data");
        if (!data.ContainsKey("text/plain"))
            data["text/plain"] = "";
        return data;
    }

    private static JsonObject Part(JsonObject body, string name) => body[name] is JsonObject part ? (JsonObject)part.DeepClone() : [];

    private static ErrorOutput ErrorOf(JsonObject body)
    {
        string name = Text(body, "ename"),
            message = Text(body, "evalue");
        string[] traceback = [.. (body["traceback"] as JsonArray ?? []).Select(l => l is JsonValue value && value.TryGetValue(out string? line) ? line : "")];
        return new ErrorOutput(name, message, traceback.Length > 0 ? traceback : [$"{name}: {message}"]);
    }

    private static string IdOf(byte[] header) => JsonNode.Parse(header)?["msg_id"]?.GetValue<string>() ?? "";

    // Written by another program: whatever it is, it either names a request of ours or not.
    private static string ParentOf(Message message)
    {
        try
        {
            return StrictJson.Parse(message.Parent) is JsonObject parent ? Text(parent, "msg_id") : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private static string Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    private static int Number(JsonObject json, string name, int otherwise) =>
        json[name] is JsonValue value && value.TryGetValue(out int number) ? number : otherwise;

    /// <summary>The kernel ended before it answered.</summary>
    private sealed class KernelEndedException() : Exception("the kernel ended");

    /// <summary>One run of the kernel's process.</summary>
    private sealed class Session
    {
        public Session(JupyterProcess process, JupyterConnection owner)
        {
            Process = process;
            Protocol = new WireProtocol(process.Connection.Key);
            Sockets = new ClientSockets(process.Connection, Protocol, (channel, message) => owner.Receive(this, channel, message));
        }

        public JupyterProcess Process { get; }

        public WireProtocol Protocol { get; }

        public ClientSockets Sockets { get; }

        /// <summary>Whether a message has arrived on IOPub.</summary>
        public volatile bool IsHeard;
    }

    /// <summary>A request and its results.</summary>
    private sealed class Exchange(Action<CellOutput>? output, int? count, Func<string, bool, CancellationToken, string>? input, bool isSilent)
    {
        // Never disposed: a question that is being cancelled may still use it, and it holds nothing that must be freed.
        private readonly CancellationTokenSource _asking = new();

        public string Id { get; set; } = "";

        public int? Count => count;

        public bool IsSilent => isSilent;

        public Func<string, bool, CancellationToken, string>? Input => input;

        public TaskCompletionSource<JsonObject> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Idle { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ErrorOutput? Error { get; set; }

        /// <summary>An exception thrown on our own side.</summary>
        public ExceptionDispatchInfo? Fault { get; set; }

        /// <summary>Whether the kernel has begun this request, so that an interrupt affects it and nothing else.</summary>
        public bool HasBegun { get; set; }

        public bool IsInterrupted { get; set; }

        public bool IsKilled { get; set; }

        /// <summary>Time of the first interrupt, by a clock that is never adjusted.</summary>
        public long? InterruptedAt { get; set; }

        public CancellationTokenSource? Asking => _asking.IsCancellationRequested ? null : _asking;

        /// <summary>Cancels on another thread: callbacks of the token may do anything.</summary>
        public void StopAsking() => _ = _asking.CancelAsync();

        public void Put(CellOutput item)
        {
            try
            {
                output?.Invoke(item);
            }
            catch (Exception e)
            {
                // Rethrown to the caller that waits for the cell: this thread serves all cells.
                Fault ??= ExceptionDispatchInfo.Capture(e);
            }
        }
    }
}
