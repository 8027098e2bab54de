namespace NullTextResearch.Kernel.Engine;

/// <summary>A cell cannot run for a reason that the user can fix; shown without a stack trace.</summary>
internal sealed class CellException(string name, string message, IReadOnlyList<string>? details = null) : Exception(message)
{
    /// <summary>Jupyter's ename.</summary>
    public string Name { get; } = name;

    /// <summary>Lines below the message.</summary>
    public IReadOnlyList<string> Details { get; } = details ?? [];
}
