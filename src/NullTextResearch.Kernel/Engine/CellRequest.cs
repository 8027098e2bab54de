using NullTextResearch.Kernel.Jupyter;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A cell to run.</summary>
/// <param name="Code">C#, and directives that switch to other languages.</param>
public sealed record CellRequest(string Code)
{
    /// <summary>Name in error messages, or null for "Cell [n]".</summary>
    public string? Name { get; init; }

    /// <summary>True: not counted and not remembered in <c>In</c> numbers. Output still goes to the sink.</summary>
    public bool Silent { get; init; }

    /// <summary>Answers a question of the cell, or null where nobody can: prompt, hidden, token to stop waiting.</summary>
    public Func<string, bool, CancellationToken, string>? Input { get; init; }
}

/// <summary>How a cell ended.</summary>
public enum CellStatus
{
    /// <summary>To its end.</summary>
    Ok,

    /// <summary>By an exception, or it did not compile.</summary>
    Error,

    /// <summary>The user stopped it.</summary>
    Interrupted,
}

/// <summary>What became of a cell.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="ExecutionCount">Its number in this session; silent cells repeat the last one.</param>
/// <param name="Error">What was sent as error, or null.</param>
/// <param name="Result">What was sent as result, or null.</param>
/// <param name="Elapsed">Wall time, compilation included.</param>
public sealed record CellResult(CellStatus Status, int ExecutionCount, ErrorOutput? Error, ResultOutput? Result, TimeSpan Elapsed);

/// <summary>What an interrupt met.</summary>
public enum InterruptEffect
{
    /// <summary>No cell runs.</summary>
    NothingRuns,

    /// <summary>The cell reads the cancellation token and has two seconds to end by itself.</summary>
    Asked,

    /// <summary>The cell ends at its next loop, method, output or wait.</summary>
    Stopping,

    /// <summary>The cell was told before: its thread is being ended by force, which the process may not survive.</summary>
    Forcing,

    /// <summary>Not even force ended the cell: only the end of the process helps.</summary>
    Hopeless,
}

/// <summary>Settings of a <see cref="CellEngine"/>.</summary>
public sealed record EngineOptions
{
    /// <summary>Characters of console text per cell that are passed on; the rest is counted and dropped. Default 2,000,000.</summary>
    public int StreamLimit { get; init; } = 2_000_000;

    /// <summary>How long a cell that reads the cancellation token may take to end by itself. Default 2 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>After an interrupt without effect for this long the user is told. Default 10 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Least time between two updates of one display. Default 100 ms.</summary>
    public TimeSpan UpdateInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Draws a diagram in Mermaid's language as PNG, for front ends that do not; may give null. Null: none is drawn.</summary>
    public Func<string, CancellationToken, byte[]?>? DrawDiagram { get; init; }

    /// <summary>
    /// Whether console text of threads that belong to no cell goes to the latest cell (a kernel), or to the console that
    /// was there before (a program that hosts an engine and writes itself). Default true.
    /// </summary>
    public bool TakesStrayText { get; init; } = true;

    /// <summary>
    /// Work to be done on the cells' thread before its first cell, such as loading native libraries and settings that belong
    /// to a thread. Called again where a thread was replaced, after a cell was stopped.
    /// </summary>
    public Action? Prepare { get; init; }

    /// <summary>Languages beside C#, each started at its first use. Default none.</summary>
    internal IReadOnlyList<LanguageFactory> Languages { get; init; } = [];

    /// <summary>What <c>#!connect</c> can start. Default Jupyter's kernels.</summary>
    internal IReadOnlyList<ILanguageConnector> Connectors { get; init; } = [new JupyterConnector()];
}
