using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary><c>#!connect jupyter --kernel-name python --kernel-spec python3</c>.</summary>
internal sealed class JupyterConnector : ILanguageConnector
{
    // Shorter than the session's own limit: what the session treats as a second interrupt must not count as a double click here.
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public string Kind => "jupyter";

    /// <inheritdoc/>
    public ICellLanguage Connect(string name, DirectiveOptions options, CellContext cell)
    {
        string spec = options.Require("kernel-spec");
        JupyterConnection? connection = null;
        cell.RunElsewhere(_ =>
            connection = JupyterConnection.StartAsync(spec, new JupyterOptions { Impatience = Impatience }, cell.Cancel).GetAwaiter().GetResult()
        );
        return new JupyterLanguage(name, connection!);
    }
}

/// <summary>Another Jupyter kernel as a language of the session.</summary>
internal sealed class JupyterLanguage(string name, JupyterConnection connection) : ICellLanguage
{
    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public void Run(CodeRun run) =>
        run.Cell.RunElsewhere(insist =>
        {
            JupyterCell cell = new(run.Code) { Count = run.WantsResult ? run.Count : null, Input = run.Cell.Request.Input };
            using CancellationTokenRegistration second = insist.UnsafeRegister(_ => connection.Interrupt(), null);
            JupyterResult result = connection.RunAsync(cell, run.Cell.Send, run.Cell.Cancel).GetAwaiter().GetResult();
            if (result.Error is { } error)
                throw new CellFailedException(error);
        });

    /// <inheritdoc/>
    public Completions Complete(string code, int position) => connection.CompleteAsync(code, position, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public string? Inspect(string code, int position) => connection.InspectAsync(code, position, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public Completeness IsComplete(string code) => connection.IsCompleteAsync(code, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public IReadOnlyList<VariableSummary> Variables() =>
        [
            .. connection
                .VariablesAsync(CellContext.OfThisFlow?.Cancel ?? CancellationToken.None)
                .GetAwaiter()
                .GetResult()
                .Select(v => new VariableSummary(v.Name, v.Type, v.Value)),
        ];

    /// <inheritdoc/>
    public SharedVariable? Get(string name)
    {
        if (!connection.CanShare)
            return null;
        (object? value, string? note) = Wait(cancel => connection.GetAsync(name, null, cancel));
        Say(note);
        return new SharedVariable(value, value?.GetType() ?? typeof(object));
    }

    /// <inheritdoc/>
    public void Set(string name, SharedVariable variable) => Say(Wait(cancel => connection.SetAsync(name, variable.Value, cancel)));

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    private static T Wait<T>(Func<CancellationToken, Task<T>> work)
    {
        if (CellContext.OfThisFlow is not { } cell)
            return work(CancellationToken.None).GetAwaiter().GetResult();
        T result = default!;
        cell.RunElsewhere(_ => result = work(cell.Cancel).GetAwaiter().GetResult());
        return result;
    }

    // Shown below the cell that shares the value.
    private static void Say(string? note)
    {
        if (note is not null)
            CellContext.OfThisFlow?.Send(new StreamOutput(true, note + "\n"));
    }
}
