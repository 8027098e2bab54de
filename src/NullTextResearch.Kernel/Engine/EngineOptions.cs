using NullTextResearch.Kernel.Jupyter;

namespace NullTextResearch.Kernel.Engine;

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
