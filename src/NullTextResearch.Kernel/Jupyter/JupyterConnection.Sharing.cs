using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

// Values between the languages. Code of ours runs in the Python kernel for it, silently, in a module of its own.
internal sealed partial class JupyterConnection
{
    // Larger ones would be a line of code of that size for Python to compile.
    private const int MostInline = 1 << 16;

    private static readonly JsonSerializerOptions Letters = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Lazy<string> Bridge = new(() =>
    {
        using Stream source = typeof(JupyterConnection).Assembly.GetManifestResourceStream("bridge.py")!;
        using StreamReader reader = new(source, Encoding.UTF8);
        return reader.ReadToEnd();
    });

    /// <summary>Whether values can be shared with this kernel and its variables be listed.</summary>
    public bool CanShare => IsPython;

    /// <summary>
    /// Sets a variable of Python. Whole numbers become int, float and double float, decimal Decimal, strings str, byte[] bytes,
    /// lists and arrays of one axis list, dictionaries dict, tuples tuple, records dict; lists of records become a pandas
    /// DataFrame where pandas is installed, else a list of dict; tensors, pictures and arrays of several axes numpy arrays.
    /// </summary>
    /// <param name="name">A name for a variable in Python.</param>
    /// <param name="value">The value. What is shared is a copy.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What the user should know of how the value was passed on; null for nothing.</returns>
    /// <remarks>An array takes its own size twice while it passes (a file in shared memory, and Python's array), once after.</remarks>
    /// <exception cref="CellException">The value or the name is not Python's; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
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
    /// A variable of Python: int as int, long or BigInteger, as C# types the same literal; float as double, list as List of what
    /// its items have in common, dict as Dictionary, tuple as a value tuple, DataFrame as a list of dictionaries; numpy arrays
    /// and torch tensors as tensors, uint8 [height, width, 3] and PIL pictures as pictures, where the workbench is loaded.
    /// </summary>
    /// <param name="name">Of the variable.</param>
    /// <param name="wanted">For an array: the type asked for, or null.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The value, and what the user should know of how it was passed on, or null. A tensor belongs to the caller, to no dispose scope.</returns>
    /// <exception cref="CellException">There is no such variable, or it is nothing that .NET has; the message says why.</exception>
    /// <exception cref="OperationCanceledException">Given up.</exception>
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

    /// <summary>Python's variables by name; functions, classes, modules and names that begin with _ are left out. None for other kernels.</summary>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    public async Task<IReadOnlyList<JupyterVariable>> VariablesAsync(CancellationToken cancel)
    {
        // A kernel that was not started, or has ended, has none; it is not started to say so.
        if (!IsPython || !IsAlive)
            return [];
        using JsonDocument answer = JsonDocument.Parse(await EvaluateAsync("variables()", cancel).ConfigureAwait(false));
        return [.. answer.RootElement.EnumerateArray().Select(v => new JupyterVariable(v[0].GetString()!, v[1].GetString()!, v[2].GetString()!))];
    }

    // As JSON, which Python reads alike but for pairs of escapes: letters beyond 16 bits must stay letters.
    private static string Literal(string text) => JsonSerializer.Serialize(text, Letters);

    private void RequireSharing()
    {
        if (!IsPython)
            throw new CellException("ShareError", $"Values are shared with Python only; {DisplayName} runs '{Language}'. Pass them through a file.");
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
                $"{DisplayName} runs, but our part of it does not: {Text(reply, "ename")}: {Text(reply, "evalue")}. Expected is Python 3.8 or later with "
                    + "ipykernel.",
                [.. ErrorOf(reply).Traceback]
            );
    }

    /// <summary>An expression in the bridge's module; its value as text.</summary>
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
/// <param name="Name">As it is called there.</param>
/// <param name="Type">As that language writes it.</param>
/// <param name="Value">On one line, at most 80 characters.</param>
internal sealed record JupyterVariable(string Name, string Type, string Value);
