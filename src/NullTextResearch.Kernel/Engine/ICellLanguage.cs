using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// A language of the session. All members except <see cref="IDisposable.Dispose"/> are called on the cells' thread, one at a time. User errors are thrown
/// as <see cref="CellException"/> or <see cref="CellFailedException"/>.
/// </summary>
/// <remarks>
/// Each language chooses how its code is stopped. Code on the calling thread runs through <see cref="CellContext.RunStoppable"/>, which ends it at
/// checkpoints and in waits. Code in another process runs through <see cref="CellContext.RunElsewhere"/>, which leaves stopping to the language. Code that
/// ends early throws <see cref="OperationCanceledException"/>.
/// </remarks>
internal interface ICellLanguage : IDisposable
{
    /// <summary>The name in <c>#!name</c>.</summary>
    string Name { get; }

    /// <summary>Runs one part of a cell.</summary>
    void Run(CodeRun run);

    /// <summary>Adds assemblies that a cell references, for all code that follows. Does nothing in languages that cannot use them.</summary>
    /// <param name="paths">Full paths.</param>
    void AddReferences(IReadOnlyList<string> paths) { }

    /// <summary>Completions at a position of a text in this language.</summary>
    Completions Complete(string code, int position) => new(position, position, []);

    /// <summary>Signature and documentation of the symbol at a position, or null if there is none.</summary>
    string? Inspect(string code, int position) => null;

    /// <summary>Whether the text is complete, needs more lines, or is invalid.</summary>
    Completeness IsComplete(string code) => new("complete", "");

    /// <summary>Its variables, for lists; no values are computed or fetched for this.</summary>
    IReadOnlyList<VariableSummary> Variables() => [];

    /// <summary>A variable, or null if there is none with that name.</summary>
    /// <exception cref="CellException">The variable exists but cannot be shared.</exception>
    SharedVariable? Get(string name) => null;

    /// <summary>Declares a variable, or declares it again.</summary>
    /// <param name="name">As the user wrote it.</param>
    /// <param name="variable">Value and type in the language that it comes from.</param>
    /// <exception cref="CellException">The language cannot have this name or value, or has no variables.</exception>
    void Set(string name, SharedVariable variable) => throw new CellException("SharingError", $"'{Name}' has no variables.");
}

/// <summary>A variable passed from one language to another.</summary>
/// <param name="Value">The value; the same object if both languages run in this process.</param>
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
/// <param name="WantsResult">Whether to show the value of its last expression.</param>
/// <param name="Count">Number of the cell, or null in an imported notebook: its results are shown, but are not the cell's.</param>
/// <param name="Cell">Receives the output and stops the run.</param>
internal sealed record CodeRun(string Code, string Name, bool WantsResult, int? Count, CellContext Cell)
{
    /// <summary>Shows the value of the last expression. Formatters are user code: call this where it can be stopped.</summary>
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

/// <summary>What a language needs from the session.</summary>
/// <param name="References">Referenced assemblies.</param>
/// <param name="Traceback">Errors in terms of cells.</param>
internal sealed record LanguageSession(ReferenceCatalog References, Traceback Traceback);

/// <summary>A language that is started on first use.</summary>
/// <param name="Name">A value of <see cref="CellPlan.Languages"/>.</param>
/// <param name="Create">Starts it; called once, on the cells' thread.</param>
internal sealed record LanguageFactory(string Name, Func<LanguageSession, ICellLanguage> Create);

/// <summary>Implements <c>#!connect</c> for one kind of connection.</summary>
internal interface ILanguageConnector
{
    /// <summary>The word after <c>#!connect</c>, such as jupyter.</summary>
    string Kind { get; }

    /// <summary>Starts a language. Called on the cells' thread.</summary>
    /// <param name="name">The name that cells will use: <c>#!name</c>.</param>
    /// <param name="options">The directive's options.</param>
    /// <param name="cell">The cell that connects: shows output and can stop the connection.</param>
    /// <exception cref="CellException">The language cannot be started.</exception>
    ICellLanguage Connect(string name, DirectiveOptions options, CellContext cell);
}
