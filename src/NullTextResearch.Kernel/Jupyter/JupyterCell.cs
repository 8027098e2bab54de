using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>Code for another kernel.</summary>
/// <param name="Code">The code in that kernel's language; Python code may use IPython's magics.</param>
internal sealed record JupyterCell(string Code)
{
    /// <summary>
    /// Number of our cell. Its result is then sent as <see cref="ResultOutput"/>, and Python counts on from this number, so that its tracebacks name our
    /// cells. Null: the result is shown like any other output.
    /// </summary>
    public int? Count { get; init; }

    /// <summary>
    /// Answers an input request of the code; null if nobody can answer. Arguments: prompt, whether the input is hidden, token that stops the wait. Called
    /// on a pool thread; may block.
    /// </summary>
    public Func<string, bool, CancellationToken, string>? Input { get; init; }
}

/// <summary>Outcome of the code.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Error">The error, or null if there was none; not sent as output.</param>
internal sealed record JupyterResult(CellStatus Status, ErrorOutput? Error);

/// <summary>Settings of a <see cref="JupyterConnection"/>.</summary>
internal sealed record JupyterOptions
{
    /// <summary>How long a kernel may take until it answers. Default 60 s, enough for a cold disk and a large environment.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A second interrupt later than this after the first ends the kernel; an earlier one counts as a double click. Default 1 s.</summary>
    public TimeSpan Impatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>If an interrupt has no effect for this long, a message tells the user what a second one does. Default 5 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long completion, inspection and similar queries may take; after that there is no answer. Default 10 s.</summary>
    public TimeSpan QueryLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a kernel may take to shut down before it is killed. Default 1 s.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(1);
}
