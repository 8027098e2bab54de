using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

// Shares values between the languages. For this, our own code runs silently in the Python kernel, in a separate module.
internal sealed partial class JupyterConnection
{
    // Larger messages go through a file: inline, Python would have to compile a line of that size.
    private const int MostInline = 1 << 16;

    private static readonly JsonSerializerOptions Letters = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Lazy<string> Bridge = new(() =>
    {
        using Stream source = typeof(JupyterConnection).Assembly.GetManifestResourceStream("bridge.py")!;
        using StreamReader reader = new(source, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    /// <summary>Whether values can be shared with this kernel and its variables listed.</summary>
    public bool CanShare => IsPython;

    /// <summary>
    /// Sets a variable of Python. Whole numbers become int, float and double become float, decimal becomes Decimal, strings become str, byte[] becomes
    /// bytes, lists and arrays of one axis become list, dictionaries and records become dict, tuples become tuple. Lists of records become a pandas
    /// DataFrame if pandas is installed, else a list of dict. Tensors, pictures and arrays of several axes become numpy arrays.
    /// </summary>
    /// <param name="name">Name of the Python variable.</param>
    /// <param name="value">The value; Python gets a copy.</param>
    /// <param name="cancel">Cancels the transfer.</param>
    /// <returns>What the user should know about the conversion; null if nothing.</returns>
    /// <remarks>During the transfer an array takes twice its size (a file in shared memory and Python's array), afterwards once.</remarks>
    /// <exception cref="CellException">Python cannot have this value or name; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async Task<string?> SetAsync(string name, object? value, CancellationToken cancel)
    {
        RequireSharing();
        using TransferFiles files = new();
        SharedValueWriter writer = new(files, cancel);
        byte[] message = writer.Write(name, value);
        if (message.Length > MostInline)
            message = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["file"] = files.Write(message, cancel) });
        await EvaluateAsync($"take('{Convert.ToBase64String(message)}')", cancel).ConfigureAwait(false);
        return writer.Note;
    }

    /// <summary>
    /// Gets a variable of Python: int as int, long or BigInteger, as C# types the same literal; float as double, list as a List of the type that its items
    /// have in common, dict as Dictionary, tuple as a value tuple, DataFrame as a list of dictionaries. If the workbench is loaded, numpy arrays and torch
    /// tensors become tensors; uint8 [height, width, 3] and PIL pictures become pictures.
    /// </summary>
    /// <param name="name">Name of the variable.</param>
    /// <param name="wanted">Requested type if the value is an array; null: the default.</param>
    /// <param name="cancel">Cancels the transfer.</param>
    /// <returns>The value, and what the user should know about the conversion, or null. A tensor belongs to the caller, not to a dispose scope.</returns>
    /// <exception cref="CellException">There is no such variable, or .NET has no such value; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async Task<(object? Value, string? Note)> GetAsync(string name, Type? wanted, CancellationToken cancel)
    {
        RequireSharing();
        using TransferFiles files = new();
        string folders = string.Join(", ", TransferFiles.Folders.Select(Literal));
        string answer = await EvaluateAsync($"give({Literal(name)}, [{folders}], {Literal(files.Prefix)})", cancel).ConfigureAwait(false);
        JsonDocumentOptions options = new() { MaxDepth = SharedValueReader.MostDepth };
        using JsonDocument direct = JsonDocument.Parse(answer, options);
        if (!direct.RootElement.TryGetProperty("file", out JsonElement file))
            return Read(direct.RootElement);
        using FileStream stream = files.Open(file.GetString()!);
        using JsonDocument large = await JsonDocument.ParseAsync(stream, options, cancel).ConfigureAwait(false);
        return Read(large.RootElement);

        (object?, string?) Read(JsonElement root) =>
            (new SharedValueReader(files).Read(root.GetProperty("value"), wanted), root.GetProperty("note").GetString());
    }

    /// <summary>Python's variables by name; functions, classes, modules and names that begin with _ are left out. Empty for other kernels.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public async Task<IReadOnlyList<JupyterVariable>> VariablesAsync(CancellationToken cancel)
    {
        // A kernel that does not run has no variables; it is not started just to list them.
        if (!IsPython || !IsAlive)
            return [];
        using JsonDocument answer = JsonDocument.Parse(await EvaluateAsync("variables()", cancel).ConfigureAwait(false));
        return [.. answer.RootElement.EnumerateArray().Select(v => new JupyterVariable(v[0].GetString()!, v[1].GetString()!, v[2].GetString()!))];
    }

    // As JSON, which Python reads the same way except for pairs of escapes: characters beyond 16 bits must not be escaped.
    private static string Literal(string text) => JsonSerializer.Serialize(text, Letters);

    private void RequireSharing()
    {
        if (!IsPython)
            throw new CellException("ShareError", $"Values can be shared only with Python; {DisplayName} runs '{Language}'. Pass them through a file.");
    }

    private async Task SendBridgeAsync(Session session, CancellationToken cancel)
    {
        string source = Convert.ToBase64String(Encoding.UTF8.GetBytes(Bridge.Value));
        Exchange exchange = new(null, null, null, isSilent: true);
        JsonObject content = Execution(
            string.Create(
                CultureInfo.InvariantCulture,
                $"exec(compile(__import__('base64').b64decode('{source}'), '<nulltext bridge>', 'exec'), {{'__name__': '_nulltext', 'get_ipython': "
                    + $"get_ipython, 'PARENT': {Environment.ProcessId}}})"
            ),
            silent: true
        );
        JsonObject? reply = await ExecuteAsync(session, exchange, content, cancel).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        if (reply is null)
            throw new KernelEndedException();
        if (Text(reply, "status") != "ok")
            throw new CellException(
                "KernelStartError",
                $"{DisplayName} runs, but our code in it failed: {Text(reply, "ename")}: {Text(reply, "evalue")}. It needs Python 3.8 or later with "
                    + "ipykernel.",
                [.. ErrorOf(reply).Traceback]
            );
    }

    /// <summary>Evaluates an expression in the bridge's module; returns its value as text.</summary>
    private async Task<string> EvaluateAsync(string expression, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            Session session = await LiveAsync(null, cancel).ConfigureAwait(false);
            Exchange exchange = new(null, null, null, isSilent: true);
            JsonObject content = Execution("", silent: true);
            content["user_expressions"] = new JsonObject { ["x"] = $"__import__('_nulltext').{expression}" };
            JsonObject? reply = await ExecuteAsync(session, exchange, content, cancel).ConfigureAwait(false);
            if (exchange.IsInterrupted)
                throw new OperationCanceledException("Interrupted", cancel);
            if (reply is null || Text(reply, "status") != "ok")
            {
                ErrorOutput error = Result(session, exchange, reply).Error!;
                throw new CellException(error.Name, error.Message);
            }

            JsonObject answer = reply["user_expressions"]?["x"] as JsonObject ?? [];
            if (Text(answer, "status") == "ok" && answer["data"] is JsonObject data)
                return Text(data, "text/plain");
            string name = Text(answer, "ename");
            throw new CellException("ShareError", name == "ShareError" ? Text(answer, "evalue") : $"{name}: {Text(answer, "evalue")}");
        }
        finally
        {
            _turn.Release();
        }
    }
}

/// <summary>A variable of another kernel.</summary>
/// <param name="Name">Its name in that kernel.</param>
/// <param name="Type">Its type, as that language writes it.</param>
/// <param name="Value">Its value on one line, at most 80 characters.</param>
internal sealed record JupyterVariable(string Name, string Type, string Value);
