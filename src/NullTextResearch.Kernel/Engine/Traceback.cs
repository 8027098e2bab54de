using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace NullTextResearch.Kernel.Engine;

/// <summary>Describes errors in terms of cells and lines, and quotes the lines. Frames of the compiler, the runtime and the kernel are left out.</summary>
internal sealed partial class Traceback
{
    private const string Red = "\u001b[31m",
        Green = "\u001b[32m",
        Bold = "\u001b[1m",
        Plain = "\u001b[0m";
    private const int MostFrames = 25;

    private static readonly string[] Machinery =
    [
        "System.Runtime.",
        "System.Threading.",
        "System.RuntimeMethodHandle",
        "System.Reflection.",
        "Microsoft.CodeAnalysis.",
        "NullTextResearch.Kernel.",
        "System.AppDomain",
        "System.Environment.",
        "System.GC",
        "FSharp.Compiler.",
        "<StartupCode$FSI_",
    ];

    private readonly ConcurrentDictionary<string, string[]> _sources = new(StringComparer.Ordinal);

    /// <summary>Remembers the text of a cell for excerpts.</summary>
    public void Remember(string name, string source) => _sources[name] = source.ReplaceLineEndings("\n").Split('\n');

    /// <summary>An exception of user code.</summary>
    public ErrorOutput Of(Exception exception)
    {
        Exception main = Unwrap(exception);
        List<string> lines = [$"{Red}{Bold}{main.GetType().Name}{Plain}: {main.Message}"];
        Exception? e = main;
        for (int depth = 0; e is not null && depth < 10; depth++)
        {
            if (depth > 0)
                lines.Add($"{Bold}caused by {Red}{e.GetType().Name}{Plain}: {e.Message}");
            AddFrames(lines, e);
            e = e.InnerException;
        }

        return new ErrorOutput(main.GetType().Name, main.Message, lines);
    }

    /// <summary>Errors of the compiler, each with its line and a caret.</summary>
    public ErrorOutput Of(IEnumerable<Diagnostic> errors) =>
        Of(
            errors.Select(e =>
            {
                FileLinePositionSpan at = e.Location.GetLineSpan();
                (LinePosition start, LinePosition end) = (at.StartLinePosition, at.EndLinePosition);
                return new CodeError(
                    at.IsValid ? at.Path : null,
                    start.Line + 1,
                    start.Character + 1,
                    end.Line == start.Line ? end.Character + 1 : int.MaxValue,
                    e.Id,
                    e.GetMessage(CultureInfo.InvariantCulture)
                );
            })
        );

    /// <summary>Errors of any compiler.</summary>
    public ErrorOutput Of(IEnumerable<CodeError> errors)
    {
        List<string> lines = [],
            messages = [];
        foreach (CodeError error in errors.Take(20))
        {
            int column = error.Column - 1;
            string place = error.Path is { } path ? $"{DisplayName(path)}, line {error.Line}, column {error.Column}" : "the cell";
            messages.Add($"({error.Line},{error.Column}) {error.Id}: {error.Message}");
            lines.Add($"{Green}{place}{Plain}: {Red}error {error.Id}{Plain}: {error.Message}");
            if (error.Path is null || SourceLine(error.Path, error.Line) is not { } text)
                continue;
            int end = Math.Min(error.End - 1, text.Length);
            lines.Add($"    {text}");
            string marks = new('^', Math.Clamp(end - column, 1, Math.Max(1, text.Length - column)));
            lines.Add($"    {new string(' ', Math.Min(column, text.Length))}{Red}{marks}{Plain}");
        }

        string first = messages.Count > 0 ? messages[0] : "the cell does not compile";
        return new ErrorOutput("CompilationError", messages.Count > 1 ? $"{first} (and {messages.Count - 1} more)" : first, lines);
    }

    /// <summary>A cell that cannot be run.</summary>
    public static ErrorOutput Of(CellException e) => new(e.Name, e.Message, [$"{Red}{Bold}{e.Name}{Plain}: {e.Message}", .. e.Details]);

    /// <summary>The user stopped the cell.</summary>
    public ErrorOutput Interrupted(Exception? at)
    {
        List<string> lines = [$"{Red}{Bold}Interrupted{Plain}: the cell was stopped; variables of earlier cells are kept."];
        if (at is not null)
            AddFrames(lines, at);
        return new ErrorOutput("Interrupted", "the cell was stopped", lines);
    }

    // A task's only inner exception is the one that the user's code threw.
    private static Exception Unwrap(Exception e)
    {
        while (e is TargetInvocationException or AggregateException { InnerExceptions.Count: 1 } && e.InnerException is { } inner)
            e = inner;
        return e;
    }

    private void AddFrames(List<string> lines, Exception e)
    {
        int shown = 0;
        foreach (StackFrame frame in new StackTrace(e, fNeedFileInfo: true).GetFrames())
        {
            if (frame.GetMethod() is not { } method)
                continue;
            string? file = frame.GetFileName();
            bool ofCell = file is not null && IsCell(file);
            string type = method.DeclaringType?.FullName ?? "";
            if (!ofCell && Machinery.Any(m => type.StartsWith(m, StringComparison.Ordinal)))
                continue;
            if (++shown > MostFrames)
            {
                lines.Add("   ...");
                return;
            }

            int line = frame.GetFileLineNumber();
            string name = MethodName(method);
            if (ofCell)
            {
                lines.Add($"   at {Green}{DisplayName(file!)}, line {line}{Plain}{(name.Length > 0 ? $", in {name}" : "")}");
                if (SourceLine(file!, line) is { } text)
                    lines.Add($"      {text.Trim()}");
            }
            else
            {
                lines.Add(file is null ? $"   at {name}" : $"   at {name} in {Path.GetFileName(file)}, line {line}");
            }
        }
    }

    private bool IsCell(string file) => _sources.ContainsKey(DisplayName(file));

    // The compiler turns the name that we passed into a full path.
    private static string DisplayName(string path) => Path.GetFileName(path);

    private string? SourceLine(string path, int line) =>
        _sources.TryGetValue(DisplayName(path), out string[]? lines) && line >= 1 && line <= lines.Length && !string.IsNullOrWhiteSpace(lines[line - 1])
            ? lines[line - 1]
            : null;

    // "<<Initialize>>d__0.MoveNext" is the cell itself; "<Work>d__3.MoveNext" is the method Work; lambdas name their method.
    private static string MethodName(MethodBase method)
    {
        string type = method.DeclaringType?.FullName ?? "";
        string name = method.Name;
        if (
            type.Contains("<<Initialize>>", StringComparison.Ordinal)
            || name == "<Initialize>"
            || name == "<Factory>"
            || type.StartsWith("<StartupCode$FSI_", StringComparison.Ordinal)
        )
            return "";
        // F#: "FSI_0004+work@3-1.Invoke" is a lambda of work; "FSI_0004.work" is the function itself.
        if (FSharpClosure().Match(type) is { Success: true } closure)
            return $"a lambda of {closure.Groups[1].Value}";
        Match generated = Generated().Match(name == "MoveNext" ? type : name);
        string simple = generated.Success ? generated.Groups[1].Value : name;
        bool lambda = name.Contains("b__", StringComparison.Ordinal);
        StringBuilder owner = new(SubmissionPrefix().Replace(type.Replace('+', '.'), ""));
        int angle = owner.ToString().IndexOf('<', StringComparison.Ordinal);
        if (angle >= 0)
            owner.Length = angle;
        string prefix = owner.ToString().TrimEnd('.');
        if (simple.Contains("<Initialize>", StringComparison.Ordinal) || simple == "Initialize")
            return lambda ? "a lambda" : "";
        if (name == ".ctor")
            simple = "constructor";
        string full = prefix.Length > 0 ? $"{prefix}.{simple}" : simple;
        return lambda ? $"a lambda of {full}" : full;
    }

    [GeneratedRegex("<([^<>]+)>")]
    private static partial Regex Generated();

    [GeneratedRegex(@"^FSI_\d+\+(?:\w+\+)*([^+@]+)@[\d-]+")]
    private static partial Regex FSharpClosure();

    [GeneratedRegex(@"^(?:Submission#|FSI_)\d+\.?")]
    private static partial Regex SubmissionPrefix();
}

/// <summary>An error of a compiler.</summary>
/// <param name="Path">The cell, or null if the error has no position.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
/// <param name="End">Column after the error; beyond the line's end if the error ends on a later line.</param>
/// <param name="Id">The compiler's error code.</param>
/// <param name="Message">The message, on one line.</param>
internal sealed record CodeError(string? Path, int Line, int Column, int End, string Id, string Message);
