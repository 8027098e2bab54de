using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// A language of the session. All members are called on the cells' thread, one at a time, but <see cref="IDisposable.Dispose"/>.
/// Errors of the user's are <see cref="CellException"/> or <see cref="CellFailedException"/>.
/// </summary>
/// <remarks>
/// How code is stopped is the language's choice: code that runs on the calling thread goes through
/// <see cref="CellContext.RunStoppable"/>, which ends it by checkpoints and out of waits; code that runs in another process
/// through <see cref="CellContext.RunElsewhere"/>, which leaves it to the language. Where it ends early it throws
/// <see cref="OperationCanceledException"/>.
/// </remarks>
internal interface ICellLanguage : IDisposable
{
    /// <summary>As in <c>#!name</c>.</summary>
    string Name { get; }

    /// <summary>Runs one part of a cell.</summary>
    void Run(CodeRun run);

    /// <summary>Takes note of assemblies that a cell references, for all code that follows. Does nothing where they are of no use.</summary>
    /// <param name="paths">Full paths.</param>
    void AddReferences(IReadOnlyList<string> paths) { }

    /// <summary>What could stand at a place of a text in this language.</summary>
    Completions Complete(string code, int position) => new(position, position, []);

    /// <summary>What stands at a place, or null.</summary>
    string? Inspect(string code, int position) => null;

    /// <summary>Whether the text is complete, needs more lines, or cannot be right.</summary>
    Completeness IsComplete(string code) => new("complete", "");

    /// <summary>Its variables, for lists: no value is computed or fetched for them.</summary>
    IReadOnlyList<VariableSummary> Variables() => [];

    /// <summary>A variable, or null where there is none of that name.</summary>
    /// <exception cref="CellException">There is one, but it cannot leave the language.</exception>
    SharedVariable? Get(string name) => null;

    /// <summary>Declares a variable, or declares it anew.</summary>
    /// <param name="name">As the user wrote it.</param>
    /// <param name="variable">What it is in the language that it comes from.</param>
    /// <exception cref="CellException">The name or the value cannot be taken over; or the language has no variables.</exception>
    void Set(string name, SharedVariable variable) => throw new CellException("SharingError", $"'{Name}' has no variables.");
}

/// <summary>A variable that goes from one language to another.</summary>
/// <param name="Value">The value: the same object where both run in this process.</param>
/// <param name="Type">Declared type.</param>
internal sealed record SharedVariable(object? Value, Type Type);

/// <summary>A variable in a list.</summary>
/// <param name="Name">As declared.</param>
/// <param name="Type">As a programmer of its language writes it.</param>
/// <param name="Value">Its value as short text.</param>
internal sealed record VariableSummary(string Name, string Type, string Value);

/// <summary>One run of one part of a cell.</summary>
/// <param name="Code">The text, with its line numbers in the cell.</param>
/// <param name="Name">Name of the cell in messages: "Cell [n]", or the file it comes from.</param>
/// <param name="WantsResult">Whether the value of its last expression is to be shown.</param>
/// <param name="Count">Number of the cell, or null in an imported notebook: its results are shown, but are not the cell's.</param>
/// <param name="Cell">Where output goes, and how it is stopped.</param>
internal sealed record CodeRun(string Code, string Name, bool WantsResult, int? Count, CellContext Cell)
{
    /// <summary>Shows the value of the last expression. Formatters are user code: call it where it can be stopped.</summary>
    public void ShowResult(object? value)
    {
        if (Count is { } number)
        {
            (JsonObject data, JsonObject metadata) = ValueFormatter.Format(value, []);
            Cell.Send(new ResultOutput(number, data, metadata));
        }
        else
        {
            Cell.Display(value, []);
        }
    }
}

/// <summary>What a language needs of the session.</summary>
/// <param name="References">Assemblies.</param>
/// <param name="Traceback">Errors in terms of cells.</param>
internal sealed record LanguageSession(ReferenceCatalog References, Traceback Traceback);

/// <summary>A language that is started at its first use.</summary>
/// <param name="Name">A value of <see cref="CellPlan.Languages"/>.</param>
/// <param name="Create">Starts it; called on the cells' thread, once.</param>
internal sealed record LanguageFactory(string Name, Func<LanguageSession, ICellLanguage> Create);

/// <summary>What stands behind <c>#!connect</c>.</summary>
internal interface ILanguageConnector
{
    /// <summary>The word after <c>#!connect</c>, such as jupyter.</summary>
    string Kind { get; }

    /// <summary>Starts a language. Called on the cells' thread.</summary>
    /// <param name="name">What cells will call it: <c>#!name</c>.</param>
    /// <param name="options">The directive's options.</param>
    /// <param name="cell">The cell that connects: shows what happens, and stops it.</param>
    /// <exception cref="CellException">It cannot be started.</exception>
    ICellLanguage Connect(string name, DirectiveOptions options, CellContext cell);
}
