using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>Code for another kernel.</summary>
/// <param name="Code">In that kernel's language; for Python with IPython's own magics.</param>
internal sealed record JupyterCell(string Code)
{
    /// <summary>
    /// Number of our cell: its result is sent as <see cref="ResultOutput"/>, and Python counts on from it, so that its tracebacks
    /// name our cells. Null: the result is shown like any other output.
    /// </summary>
    public int? Count { get; init; }

    /// <summary>
    /// Answers a question of the code, or null where nobody can: prompt, hidden, token to stop waiting. Called on a thread of the pool; may block.
    /// </summary>
    public Func<string, bool, CancellationToken, string>? Input { get; init; }
}

/// <summary>What became of the code.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Error">Why, if not well; not sent as output.</param>
internal sealed record JupyterResult(CellStatus Status, ErrorOutput? Error);

/// <summary>Settings of a <see cref="JupyterConnection"/>.</summary>
internal sealed record JupyterOptions
{
    /// <summary>How long a kernel may take until it answers. Default 60 s: a cold disk, a large environment.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A second interrupt that comes later than this after the first ends the kernel; an earlier one is an impatient finger. Default 1 s.</summary>
    public TimeSpan Impatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After an interrupt without effect for this long the user is told what a second one does. Default 5 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long completion, inspection and the like may take; then there is no answer. Default 10 s.</summary>
    public TimeSpan QueryLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a kernel that was told to end may take before it is killed. Default 1 s.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(1);
}
