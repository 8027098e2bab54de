namespace NullTextResearch.Kernel.Engine;

/// <summary>How a cell ended.</summary>
public enum CellStatus
{
    /// <summary>It ran to its end.</summary>
    Ok,

    /// <summary>It threw an exception or did not compile.</summary>
    Error,

    /// <summary>The user stopped it.</summary>
    Interrupted,
}
