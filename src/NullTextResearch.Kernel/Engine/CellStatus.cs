namespace NullTextResearch.Kernel.Engine;

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
