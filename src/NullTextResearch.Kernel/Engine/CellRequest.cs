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
