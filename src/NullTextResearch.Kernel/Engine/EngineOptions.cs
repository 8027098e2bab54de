using NullTextResearch.Kernel.Jupyter;

namespace NullTextResearch.Kernel.Engine;

/// <summary>Settings of a <see cref="CellEngine"/>.</summary>
public sealed record EngineOptions
{
    /// <summary>Most characters of console text per cell; the rest is counted and dropped. Default 2,000,000.</summary>
    public int StreamLimit { get; init; } = 2_000_000;

    /// <summary>How long a cell that reads the cancellation token may take to end by itself. Default 2 s.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>If an interrupt has no effect for this long, a message tells the user. Default 10 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Shortest time between two updates of one display. Default 100 ms.</summary>
    public TimeSpan UpdateInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Draws a Mermaid diagram as PNG for front ends that cannot; may return null. Null: no diagrams are drawn.</summary>
    public Func<string, CancellationToken, byte[]?>? DrawDiagram { get; init; }

    /// <summary>
    /// Whether console text of threads that belong to no cell goes to the latest cell (in a kernel) or to the original console (in a program that hosts an
    /// engine and writes to the console itself). Default true.
    /// </summary>
    public bool TakesStrayText { get; init; } = true;

    /// <summary>
    /// Called on the cells' thread before its first cell, for example to load native libraries or to apply settings of the thread. Called again if the
    /// thread is replaced after a cell was stopped. Null: nothing to prepare.
    /// </summary>
    public Action? Prepare { get; init; }

    /// <summary>Languages besides C#, each started on first use. Default none.</summary>
    internal IReadOnlyList<LanguageFactory> Languages { get; init; } = [];

    /// <summary>What <c>#!connect</c> can start. Default Jupyter's kernels.</summary>
    internal IReadOnlyList<ILanguageConnector> Connectors { get; init; } = [new JupyterConnector()];
}
