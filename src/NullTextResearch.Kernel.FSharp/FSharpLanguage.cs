using System.Text.RegularExpressions;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Symbols;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Formatting;
using static FSharp.Compiler.Interactive.Shell;
using Outcome = Microsoft.FSharp.Core.FSharpChoice<Microsoft.FSharp.Core.FSharpOption<FSharp.Compiler.Interactive.Shell.FsiValue>?, System.Exception>;

namespace NullTextResearch.Kernel.FSharp;

/// <summary>F# through its compiler's interactive session, on the cells' thread: values are shared with C# unchanged.</summary>
/// <remarks>
/// Stopping a cell cancels F#'s default token. This ends all asynchronous work without its own token, including work that earlier cells left running in the
/// background. The session and its variables are kept.
/// </remarks>
internal sealed partial class FSharpLanguage : ICellLanguage
{
    // In scope in every cell, as in .NET Interactive. C# functions with optional arguments cannot follow |>.
    private const string Prelude = """
        open NullTextResearch.Hosting
        open NullTextResearch.Kernel
        open type NullTextResearch.Kernel.CellFunctions
        let display (value: obj) = NullTextResearch.Kernel.CellFunctions.display(value)
        let displayAs (mimeType: string) (value: obj) = NullTextResearch.Kernel.CellFunctions.display(value, mimeType)
        """;

    private readonly LanguageSession _session;
    private readonly FsiEvaluationSession _fsi;
    private readonly FSharpService _service;
    private readonly HashSet<string> _references;
    private readonly HashSet<string> _given;

    public FSharpLanguage(LanguageSession session)
    {
        _session = session;
        string[] arguments =
        [
            "fsi",
            "--noninteractive",
            "--nologo",
            "--quiet",
            "--gui-",
            "--optimize+",
            "--debug:portable",
            "--multiemit+",
            // Compiles against the running runtime: no SDK is needed, and the two agree.
            "--usesdkrefs-",
            "--targetprofile:netcore",
            .. session.References.OwnDefaults.Select(p => "-r:" + p),
        ];
        // The session reports through diagnostics; output of cells goes to the console.
        _fsi = FsiEvaluationSession.Create(
            FsiEvaluationSession.GetDefaultConfiguration(),
            arguments,
            TextReader.Null,
            TextWriter.Null,
            TextWriter.Null,
            FSharpOption<bool>.Some(false),
            null
        );
        _service = new FSharpService(_fsi);
        _references = new HashSet<string>(session.References.OwnDefaults, StringComparer.Ordinal);
        Require(Prelude, "prelude");
        AddReferences([.. session.References.Added.Select(a => a.FilePath!)]);
        _given = [.. _fsi.GetBoundValues().Select(v => v.Name)];
    }

    public string Name => CellPlan.FSharp;

    public void AddReferences(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            if (!_references.Contains(path))
                Require($"#r \"\"\"{path}\"\"\"", "reference");
            _references.Add(path);
        }
    }

    public void Run(CodeRun run)
    {
        CellContext cell = run.Cell;
        string code = FSharpCheckpoints.Write(run.Code, run.Name, _service.Parse);
        (Outcome? outcome, FSharpDiagnostic[] diagnostics) = Evaluate(code, run);
        if (outcome is Outcome.Choice2Of2 { Item: FsiCompilationException } && code != FSharpCheckpoints.Plain(run.Code, run.Name))
        {
            // Nothing has run yet. Either the user's own text has errors, which are reported at their places in it, or only the inserted calls do not fit.
            FSharpDiagnostic[] own = _service.Check(run.Code, run.Name);
            if (own.Any(d => d.Severity.IsError))
                throw new CellFailedException(_session.Traceback.Of(Errors(own)));
            (outcome, diagnostics) = Evaluate(FSharpCheckpoints.Plain(run.Code, run.Name), run);
        }

        Exception? thrown = (outcome as Outcome.Choice2Of2)?.Item;
        if (cell.IsInterrupted && (thrown is not null || outcome is null))
            throw new OperationCanceledException("Interrupted", thrown);
        if (thrown is FsiCompilationException)
            throw new CellFailedException(_session.Traceback.Of(Errors(diagnostics)));
        if (thrown is not null)
            throw new CellFailedException(_session.Traceback.Of(thrown));
        // The cell caught the exception that was meant to stop it.
        if (cell.IsStopped)
            throw new OperationCanceledException("Interrupted");
    }

    public Completions Complete(string code, int position) => _service.Complete(code, position);

    public string? Inspect(string code, int position) => _service.Inspect(code, position);

    public Completeness IsComplete(string code) => _service.IsComplete(code);

    public IReadOnlyList<VariableSummary> Variables() =>
        [
            .. _fsi.GetBoundValues()
                .Where(v => v.Name != "it" && !_given.Contains(v.Name))
                .OrderBy(v => v.Name, StringComparer.Ordinal)
                .Select(v => new VariableSummary(v.Name, TypeText(v.Value), ValueFormatter.Short(v.Value.ReflectionValue))),
        ];

    // Evaluated, not looked up: the list of variables has no functions, so it still has variables that a function has replaced.
    public SharedVariable? Get(string name)
    {
        if (!Identifier().IsMatch(name))
            return null;
        (Outcome outcome, FSharpDiagnostic[] diagnostics) = _fsi.EvalExpressionNonThrowing(name);
        if (outcome is Outcome.Choice1Of2 { Item.Value: { } value })
            return new SharedVariable(value.ReflectionValue, value.ReflectionType);
        const int NotDefined = 39;
        FSharpDiagnostic? error = diagnostics.FirstOrDefault(d => d.Severity.IsError);
        if (error is null || error.ErrorNumber == NotDefined)
            return null;
        throw new CellException("SharingError", $"'{name}' cannot be shared from F#: {Line(error.Message)}");
    }

    public void Set(string name, SharedVariable variable)
    {
        if (!Identifier().IsMatch(name))
            throw Unnamable(name);
        (object? value, Type declared) = (variable.Value, variable.Type);
        Type type =
            value is null || (declared != typeof(object) && declared != value.GetType() && TypeNames.FSharpDeclaration(declared) is not null)
                ? declared
                : value.GetType();
        foreach (string path in TypeNames.Assemblies(type).Select(a => a.Location).Where(p => p.Length > 0 && !IsOfRuntime(p)))
            AddReferences([path]);
        if (value is not null && type == value.GetType() && IsImportable(type))
        {
            try
            {
                _fsi.AddBoundValue(name, value);
                return;
            }
            catch (ArgumentException)
            {
                throw Unnamable(name);
            }
        }

        // If other code cannot name the type, such as an anonymous one or one of a C# cell, use the nearest type that it can name.
        string text = TypeNames.FSharpDeclaration(type) ?? Nearest(type);
        SharedValue.Pass(
            value,
            () => Require($"let {name} = global.NullTextResearch.Kernel.Engine.{nameof(SharedValue)}.{nameof(SharedValue.Take)}<{text}>()", "sharing")
        );
    }

    public void Dispose() => ((IDisposable)_fsi).Dispose();

    private (Outcome? Outcome, FSharpDiagnostic[] Diagnostics) Evaluate(string code, CodeRun run)
    {
        CellContext cell = run.Cell;
        Outcome? outcome = null;
        FSharpDiagnostic[] diagnostics = [];
        using CancellationTokenRegistration stop = cell.Stopped.Register(FSharpAsync.CancelDefaultToken);
        try
        {
            cell.RunStoppable(
                () =>
                {
                    (outcome, diagnostics) = _fsi.EvalInteractionNonThrowing(code, run.Name, null);
                    // Formatters are user code: run them here, where they can be interrupted.
                    if (outcome is Outcome.Choice1Of2 { Item.Value: { } value } && run.WantsResult && value.ReflectionType != typeof(Unit))
                        run.ShowResult(Shown(value));
                },
                mayWake: false
            );
        }
        catch (Exception e) when (cell.IsInterrupted && e is OperationCanceledException or ThreadInterruptedException)
        {
            outcome = Outcome.NewChoice2Of2(e);
        }

        return (outcome, diagnostics);
    }

    // Runs our own code.
    private void Require(string code, string name)
    {
        (Outcome outcome, FSharpDiagnostic[] diagnostics) = _fsi.EvalInteractionNonThrowing(code, name, null);
        if (outcome is not Outcome.Choice2Of2 { Item: var e })
            return;
        string said = diagnostics.FirstOrDefault(d => d.Severity.IsError) is { } error ? Line(error.Message) : e.Message;
        throw new CellException("FSharpError", $"F# rejected this: {code.Split('\n')[^1]}: {said}");
    }

    // None is null at run time, which says little.
    private static object? Shown(FsiValue value) =>
        value.ReflectionValue is null && value.ReflectionType.IsGenericType && value.ReflectionType.GetGenericTypeDefinition() == typeof(FSharpOption<>)
            ? "None"
            : value.ReflectionValue;

    private static string TypeText(FsiValue value) => value.FSharpType.Format(FSharpDisplayContext.Empty.WithShortTypeNames(true));

    private static IEnumerable<CodeError> Errors(IEnumerable<FSharpDiagnostic> diagnostics) =>
        diagnostics
            .Where(d => d.Severity.IsError)
            .Select(d => new CodeError(
                d.FileName,
                d.StartLine,
                d.StartColumn + 1,
                d.EndLine == d.StartLine ? d.EndColumn + 1 : int.MaxValue,
                $"FS{d.ErrorNumber:0000}",
                Line(d.Message)
            ));

    private static string Line(string message) => Blanks().Replace(message, " ").Trim();

    private static CellException Unnamable(string name) =>
        new("SharingError", $"'{name}' cannot be the name of an F# variable; choose another one with --as or --name.");

    private static bool IsOfRuntime(string path) =>
        path.StartsWith(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), StringComparison.Ordinal);

    // Types of F# cells are in no assembly file, but the session knows them.
    private static bool IsImportable(Type type) =>
        type.HasElementType
            ? !type.IsPointer && !type.IsByRef && IsImportable(type.GetElementType()!)
            : type.IsVisible
                && (type.Assembly.Location.Length > 0 || type.Assembly.GetName().Name?.StartsWith("FSI-ASSEMBLY", StringComparison.Ordinal) == true)
                && (!type.IsGenericType || type.GetGenericArguments().All(IsImportable));

    private static string Nearest(Type type)
    {
        for (Type? t = type.BaseType; t is not null && t != typeof(object) && t != typeof(ValueType); t = t.BaseType)
        {
            if (TypeNames.FSharpDeclaration(t) is { } text)
                return text;
        }

        Type[] all = type.GetInterfaces();
        foreach (Type wanted in (Type[])[typeof(IReadOnlyList<>), typeof(IReadOnlyDictionary<,>), typeof(IEnumerable<>)])
        {
            foreach (Type found in all.Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == wanted))
            {
                if (TypeNames.FSharpDeclaration(found) is { } text)
                    return text;
                // A list of records of a C# cell becomes a list of objects.
                if (wanted.GetGenericArguments().Length == 1 && !found.GetGenericArguments()[0].IsValueType)
                    return TypeNames.FSharpDeclaration(wanted.MakeGenericType(typeof(object)))!;
            }
        }

        return "obj";
    }

    [GeneratedRegex(@"^[\p{L}_][\p{L}\p{Nd}_']*$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
