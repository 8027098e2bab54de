namespace NullTextResearch.Kernel.Engine;

/// <summary>Effect of an interrupt.</summary>
public enum InterruptEffect
{
    /// <summary>No cell runs.</summary>
    NothingRuns,

    /// <summary>The cell reads the cancellation token and has two seconds to end by itself.</summary>
    Asked,

    /// <summary>The cell ends at its next loop, method, output or wait.</summary>
    Stopping,

    /// <summary>The cell was interrupted before: its thread is being ended by force, which the process may not survive.</summary>
    Forcing,

    /// <summary>Not even force ended the cell; only ending the process helps.</summary>
    Hopeless,
}
