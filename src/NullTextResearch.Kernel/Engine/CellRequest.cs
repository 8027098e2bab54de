namespace NullTextResearch.Kernel.Engine;

/// <summary>A cell to run.</summary>
/// <param name="Code">C#, and directives that switch to other languages.</param>
public sealed record CellRequest(string Code)
{
    /// <summary>Name in error messages, or null for "Cell [n]".</summary>
    public string? Name { get; init; }

    /// <summary>True: the cell is not counted and gets no <c>In</c> number. Its output still goes to the sink.</summary>
    public bool Silent { get; init; }

    /// <summary>
    /// Answers an input request of the cell; null if nobody can answer. Arguments: prompt, whether the input is hidden, token that stops the wait.
    /// </summary>
    public Func<string, bool, CancellationToken, string>? Input { get; init; }
}
